-- Scrapers with a failed try, the worst first, each with a sample of what went wrong.
-- Parameters: first_date, last_date DATE (ET, from lock to lock).
SELECT *
FROM {audit}.scraper_success_rates(@first_date, @last_date)
WHERE failed_tries > 0
ORDER BY failed DESC, failed_tries DESC, scraper_name
