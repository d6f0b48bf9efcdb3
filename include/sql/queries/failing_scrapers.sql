-- Scrapers with a failed try, most failures first, each with one of its errors.
-- Parameters: first_date, last_date DATE (ET, from lock to lock).
SELECT *
FROM {audit}.scraper_success_rates(@first_date, @last_date)
WHERE failed_tries > 0
ORDER BY failed DESC, failed_tries DESC, scraper_name
