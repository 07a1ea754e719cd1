-- The twenty largest tables with their indexes, and rows that only vacuum can free.
SELECT
    relid::regclass AS table_name,
    pg_size_pretty(pg_total_relation_size(relid)) AS total,
    pg_size_pretty(pg_indexes_size(relid)) AS indexes,
    n_dead_tup AS dead_rows,
    last_autovacuum
FROM pg_stat_user_tables
ORDER BY pg_total_relation_size(relid) DESC
LIMIT 20;
