-- The records of earlier answers, from which the usual number is learned.
-- Parameters: answers_from_date DATE (UTC); tick TIMESTAMP; scrapers ARRAY<STRING>.
SELECT 'past_answers' AS kind, TO_JSON_STRING(STRUCT(
  scraper_name AS scraper_name,
  item AS item,
  game_day AS game_day,
  counts AS counts,
  games AS games
)) AS payload
FROM {audit}.past_answers(@answers_from_date, @tick)
WHERE scraper_name IN UNNEST(@scrapers)
