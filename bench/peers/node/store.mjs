// The questions that Mercurius and Yoga ask of the database: one statement for all parents, named so that
// PostgreSQL keeps its plan.
import pg from 'pg'

pg.types.setTypeParser(20, Number) // whole numbers of 53 bits at most, as the API promises
export const pool = new pg.Pool({ connectionString: process.env.PEER_DATABASE_URL, max: 10 })

const LISTED = "status IN ('published', 'deprecated')"
const PACKAGE = 'id, author_id, slug, name, downloads, price_cents, currency, rating_sum, rating_count, published_at'
const read = async (name, text, values) => (await pool.query({ name, text, values })).rows

export const globalId = (kind, uuid) =>
  Buffer.concat([Buffer.from(`${kind}:`), Buffer.from(uuid.replaceAll('-', ''), 'hex')]).toString('base64url')

export function splitId(text) {
  const bytes = Buffer.from(text, 'base64url')
  const end = bytes.indexOf(58)
  return [bytes.subarray(0, end).toString(), bytes.subarray(end + 1).toString('hex')]
}

const connection = (rows, size, make) => ({
  edges: rows.slice(0, size).map((row) => ({ node: make(row) })),
  pageInfo: { hasNextPage: rows.length > size },
})
const upper = (value) => value.toUpperCase().replace(':', '_')

function toPackage(row) {
  return {
    __typename: 'Package', uuid: row.id, authorId: row.author_id, id: globalId('Package', row.id),
    slug: row.slug, name: row.name, downloads: row.downloads, publishedAt: row.published_at,
    ratingCount: row.rating_count, price: { amountCents: row.price_cents, currency: row.currency },
    rating: row.rating_count
      ? Math.floor((200 * row.rating_sum + row.rating_count) / (2 * row.rating_count)) / 100 : null,
  }
}

const toVersion = (row) => ({ id: globalId('PackageVersion', row.id), version: row.version })
const toAuthor = (row) => ({
  __typename: 'Author', uuid: row.id, id: globalId('Author', row.id), username: row.username,
})
const toApiKey = (row) => ({
  id: globalId('ApiKey', row.id), name: row.name, prefix: row.prefix, scopes: row.scopes.map(upper),
  createdAt: row.created_at, lastUsedAt: row.last_used_at,
})
const toInvoice = (row) => ({
  number: row.number, status: upper(row.status), periodStart: row.period_start, periodEnd: row.period_end,
  paidAt: row.paid_at, total: { amountCents: row.total_cents, currency: row.currency },
})

export async function user(uuid) {
  const [row] = await read('user', 'SELECT * FROM users WHERE id = $1 AND deleted_at IS NULL', [uuid])
  return row && {
    uuid: row.id, id: globalId('User', row.id), email: row.email, username: row.username, tier: upper(row.tier),
    role: upper(row.role), createdAt: row.created_at,
  }
}

export async function packages({ query, first = 20 }) {
  const rows = query
    ? await read('search', `SELECT ${PACKAGE} FROM bench.search_packages($1) LIMIT $2`, [query, first + 1])
    : await read(
      'catalogue', `SELECT ${PACKAGE} FROM packages WHERE ${LISTED} ORDER BY downloads DESC, id DESC LIMIT $1`,
      [first + 1])
  return connection(rows, first, toPackage)
}

const by = (rows, column) => {
  const found = new Map()
  for (const row of rows) {
    const key = row[column]
    if (found.has(key)) found.get(key).push(row)
    else found.set(key, [row])
  }
  return found
}

const page = (ids, found, first, make) =>
  ids.map((id) => connection(found.get(id) ?? [], first, make))

export async function packagesById(ids) {
  const rows = await read('packages', `SELECT ${PACKAGE} FROM packages WHERE id = ANY($1)`, [ids])
  const found = new Map(rows.map((row) => [row.id.replaceAll('-', ''), toPackage(row)]))
  return ids.map((id) => found.get(id.replaceAll('-', '')) ?? null)
}

export async function authorsById(ids) {
  const rows = await read('authors', 'SELECT id, username FROM authors WHERE id = ANY($1)', [ids])
  const found = new Map(rows.map((row) => [row.id.replaceAll('-', ''), toAuthor(row)]))
  return ids.map((id) => found.get(id.replaceAll('-', '')) ?? null)
}

export async function versionsOf(ids, first) {
  const rows = await read('versions', `
    SELECT v.id, v.package_id, v.version FROM unnest($1::uuid[]) AS parent (id) CROSS JOIN LATERAL (
      SELECT * FROM package_versions WHERE package_id = parent.id ORDER BY sort_key DESC, id DESC LIMIT $2
    ) v`, [ids, first + 1])
  return page(ids, by(rows, 'package_id'), first, toVersion)
}

export async function packagesOf(ids, first) {
  const rows = await read('authored', `
    SELECT p.* FROM unnest($1::uuid[]) AS parent (id) CROSS JOIN LATERAL (
      SELECT ${PACKAGE} FROM packages WHERE author_id = parent.id AND ${LISTED}
      ORDER BY published_at DESC, id DESC LIMIT $2
    ) p`, [ids, first + 1])
  return page(ids, by(rows, 'author_id'), first, toPackage)
}

export async function subscriptionsOf(ids) {
  const rows = await read('subscriptions', `
    SELECT * FROM subscriptions
    WHERE user_id = ANY($1) AND status IN ('trialing', 'active', 'past_due', 'unpaid', 'paused')`, [ids])
  const found = new Map(rows.map((row) => [row.user_id, {
    id: globalId('Subscription', row.id), tier: upper(row.tier), status: upper(row.status),
    cancelAtPeriodEnd: row.cancel_at_period_end, createdAt: row.created_at,
  }]))
  return ids.map((id) => found.get(id) ?? null)
}

export async function apiKeysOf(ids, first) {
  const rows = await read('api_keys', `
    SELECT k.* FROM unnest($1::uuid[]) AS parent (id) CROSS JOIN LATERAL (
      SELECT * FROM api_keys WHERE user_id = parent.id ORDER BY id DESC LIMIT $2
    ) k`, [ids, first + 1])
  return page(ids, by(rows, 'user_id'), first, toApiKey)
}

export async function invoicesOf(ids, first) {
  const rows = await read('invoices', `
    SELECT i.* FROM unnest($1::uuid[]) AS parent (id) CROSS JOIN LATERAL (
      SELECT user_id, number, status, total_cents, currency, period_start, period_end, paid_at
      FROM invoices WHERE user_id = parent.id ORDER BY id DESC LIMIT $2
    ) i`, [ids, first + 1])
  return page(ids, by(rows, 'user_id'), first, toInvoice)
}

// Each kind by one statement, in the order that was asked for.
export async function nodes(ids) {
  const split = ids.map(splitId)
  const read = { Package: packagesById, Author: authorsById }
  const found = {}
  for (const kind of Object.keys(read)) {
    const wanted = split.filter(([each]) => each === kind).map(([, id]) => id)
    const rows = wanted.length ? await read[kind](wanted) : []
    found[kind] = new Map(wanted.map((id, place) => [id, rows[place]]))
  }
  return split.map(([kind, id]) => found[kind]?.get(id) ?? null)
}
