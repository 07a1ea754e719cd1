// The part of revgraph's schema that the operations ask of, as an SDL-first server has it.
import { GraphQLScalarType } from 'graphql'

export const typeDefs = `
scalar DateTime
scalar BigInt
enum PackageSort { RELEVANCE DOWNLOADS NEWEST RATING NAME }
enum Tier { FREE PRO ENTERPRISE }
enum Role { CUSTOMER AUTHOR SUPPORT ADMIN }
enum ApiKeyScope { READ WRITE PURCHASE PUBLISH USAGE_WRITE ADMIN }
enum InvoiceStatus { DRAFT OPEN PAID UNCOLLECTIBLE VOID }
enum SubscriptionStatus { INCOMPLETE TRIALING ACTIVE PAST_DUE UNPAID PAUSED CANCELED INCOMPLETE_EXPIRED }
interface Node { id: ID! }
type Query {
  viewer: User
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  packages(query: String, sort: PackageSort! = RELEVANCE, first: Int = 20): PackageConnection!
}
type PageInfo { hasNextPage: Boolean! }
type Money { amountCents: BigInt! currency: String! }
type User implements Node {
  id: ID! email: String! username: String! tier: Tier! role: Role! createdAt: DateTime!
  subscription: Subscription
  apiKeys(first: Int = 20): ApiKeyConnection!
  invoices(first: Int = 20): InvoiceConnection!
}
type Subscription implements Node {
  id: ID! tier: Tier! status: SubscriptionStatus! cancelAtPeriodEnd: Boolean! createdAt: DateTime!
}
type ApiKeyConnection { edges: [ApiKeyEdge!]! pageInfo: PageInfo! }
type ApiKeyEdge { node: ApiKey! }
type ApiKey implements Node {
  id: ID! name: String! prefix: String! scopes: [ApiKeyScope!]! createdAt: DateTime! lastUsedAt: DateTime
}
type InvoiceConnection { edges: [InvoiceEdge!]! pageInfo: PageInfo! }
type InvoiceEdge { node: Invoice! }
type Invoice {
  number: String status: InvoiceStatus! total: Money! periodStart: DateTime periodEnd: DateTime paidAt: DateTime
}
type PackageConnection { edges: [PackageEdge!]! pageInfo: PageInfo! }
type PackageEdge { node: Package! }
type Package implements Node {
  id: ID! slug: String! name: String! downloads: BigInt! rating: Float ratingCount: Int! price: Money!
  publishedAt: DateTime author: Author! versions(first: Int = 20): PackageVersionConnection!
}
type Author implements Node { id: ID! username: String! packages(first: Int = 20): PackageConnection! }
type PackageVersionConnection { edges: [PackageVersionEdge!]! pageInfo: PageInfo! }
type PackageVersionEdge { node: PackageVersion! }
type PackageVersion implements Node { id: ID! version: String! }
`

export const scalars = {
  DateTime: new GraphQLScalarType({ name: 'DateTime', serialize: (value) => value.toISOString() }),
  BigInt: new GraphQLScalarType({ name: 'BigInt', serialize: (value) => value }),
}
