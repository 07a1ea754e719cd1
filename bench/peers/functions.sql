-- What the peers find in the database beside its tables: views of the rules that are ours to know, as a team
-- that works with PostGraphile or with plain SQL would write them.
CREATE SCHEMA IF NOT EXISTS bench;

CREATE OR REPLACE FUNCTION bench.listed_packages() RETURNS SETOF public.packages LANGUAGE sql STABLE AS $$
    SELECT * FROM public.packages WHERE status IN ('published', 'deprecated') ORDER BY downloads DESC, id DESC
$$;

CREATE OR REPLACE FUNCTION bench.packages_rating(package public.packages) RETURNS float8
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN package.rating_count > 0 THEN
        ((200 * package.rating_sum + package.rating_count) / (2 * package.rating_count))::float8 / 100
    END
$$;

CREATE OR REPLACE FUNCTION bench.users_subscription(account public.users) RETURNS public.subscriptions
LANGUAGE sql STABLE AS $$
    SELECT * FROM public.subscriptions
    WHERE user_id = account.id AND status IN ('trialing', 'active', 'past_due', 'unpaid', 'paused')
$$;

CREATE OR REPLACE FUNCTION bench.authors_listed_packages(author public.authors) RETURNS SETOF public.packages
LANGUAGE sql STABLE AS $$
    SELECT * FROM public.packages
    WHERE author_id = author.id AND status IN ('published', 'deprecated') ORDER BY published_at DESC, id DESC
$$;

-- The catalogue's ranking (app/db/repositories/search/matching.py) without its care for slips of the pen.
CREATE OR REPLACE FUNCTION bench.search_packages(asked text) RETURNS SETOF public.packages
LANGUAGE sql STABLE AS $$
    WITH terms AS (
        SELECT word::tsquery AS whole, CASE WHEN number = max(number) OVER () THEN (word || ':*')::tsquery
            ELSE word::tsquery END AS begun
        FROM regexp_split_to_table(lower(asked), '\s+') WITH ORDINALITY AS split (word, number) LIMIT 12
    ),
    found AS (
        SELECT s.package_id, max(CASE WHEN s.title = lower(asked) THEN 10000 ELSE 0 END) + sum(
            27 * ((s.name @@ t.begun)::int + (s.name @@ t.whole)::int)
            + 9 * ((s.labels @@ t.begun)::int + (s.labels @@ t.whole)::int)
            + 3 * ((s.description @@ t.begun)::int + (s.description @@ t.whole)::int)
            + (s.readme @@ t.begun)::int + (s.readme @@ t.whole)::int
        ) AS score
        FROM terms t JOIN public.package_search s
            ON s.name @@ t.begun OR s.labels @@ t.begun OR s.description @@ t.begun OR s.readme @@ t.begun
        GROUP BY s.package_id HAVING count(*) = (SELECT count(*) FROM terms)
    )
    SELECT p.* FROM found JOIN public.packages p ON p.id = found.package_id
    WHERE p.status IN ('published', 'deprecated')
    ORDER BY found.score * 20 + length(p.downloads::text) DESC, p.id DESC
$$;

CREATE OR REPLACE FUNCTION bench.authors_by_row_ids(row_ids uuid[]) RETURNS SETOF public.authors
LANGUAGE sql STABLE AS $$
    SELECT a.* FROM unnest(row_ids) WITH ORDINALITY AS asked (id, place) JOIN public.authors a USING (id)
    ORDER BY asked.place
$$;

-- `Subscription` is the name of a root type.
COMMENT ON TABLE public.subscriptions IS '@name account_subscriptions';
