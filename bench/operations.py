"""What is asked of every server? In the words of revgraph's schema, and of PostGraphile's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.subjects import Subjects

Variables = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """``user_id`` stands for who asks, where a server does not authenticate."""

    body: Mapping[str, Any]
    user_id: str
    api_key: str


@dataclass(frozen=True)
class Operation:
    """``asks``: the variables of the requests that are sent in turn; ``theirs``: PostGraphile's document."""

    name: str
    document: str
    asks: Callable[[Subjects], list[Variables]]
    theirs: str | None = None
    changes: bool = False

    def requests(self, subjects: Subjects, *, postgraphile: bool = False) -> list[Request]:
        document = self.theirs if postgraphile else self.document
        accounts = subjects.accounts
        return [
            Request(
                body={"query": document, "operationName": self.name.capitalize(), "variables": variables},
                user_id=str(account.user_id),
                api_key=account.api_key,
            )
            for number, variables in enumerate(self.asks(subjects))
            for account in [accounts[number % len(accounts)]]
        ]


BUSY_ACCOUNTS = 4
"""So few that each asks as often in the seconds of a round as somebody busy does all day long."""
DASHBOARD = Operation(
    "dashboard",
    """query Dashboard {
  viewer {
    id email username tier role createdAt
    subscription { id tier status cancelAtPeriodEnd createdAt }
    apiKeys(first: 10) { edges { node { id name prefix scopes createdAt lastUsedAt } } }
    invoices(first: 10) {
      edges { node { number status total { amountCents currency } periodStart periodEnd paidAt } }
    }
  }
}""",
    lambda subjects: [{"userId": str(account.user_id)} for account in subjects.accounts[:BUSY_ACCOUNTS]],
    """query Dashboard($userId: UUID!) {
  viewer: userByRowId(rowId: $userId) {
    id: rowId email username tier role createdAt
    subscription { id: rowId tier status cancelAtPeriodEnd createdAt }
    apiKeys: apiKeysByUserId(first: 10, orderBy: [ROW_ID_DESC]) {
      edges { node { id: rowId name prefix scopes createdAt lastUsedAt } }
    }
    invoices: invoicesByUserId(first: 10, orderBy: [ROW_ID_DESC]) {
      edges { node { number status amountCents: totalCents currency periodStart periodEnd paidAt } }
    }
  }
}""",
)
CATALOGUE = Operation(
    "catalogue",
    """query Catalogue {
  packages(first: 50, sort: DOWNLOADS) {
    pageInfo { hasNextPage }
    edges {
      node {
        id slug name downloads rating ratingCount price { amountCents currency } publishedAt
        author { id username }
        versions(first: 3) { edges { node { id version } } }
      }
    }
  }
}""",
    lambda _: [{}],
    """query Catalogue {
  packages: benchListedPackages(first: 50) {
    pageInfo { hasNextPage }
    edges {
      node {
        id: rowId slug name downloads rating ratingCount amountCents: priceCents currency publishedAt
        author: authorByAuthorId { id: rowId username }
        versions: packageVersionsByPackageId(first: 3, orderBy: [SORT_KEY_DESC, ROW_ID_DESC]) {
          edges { node { id: rowId version } }
        }
      }
    }
  }
}""",
)
SEARCH = Operation(
    "search",
    """query Search($query: String!) {
  packages(query: $query, first: 20) {
    pageInfo { hasNextPage }
    edges { node { id slug name downloads author { username } } }
  }
}""",
    lambda subjects: [{"query": words} for words in subjects.questions],
    """query Search($query: String!) {
  packages: benchSearchPackages(asked: $query, first: 20) {
    pageInfo { hasNextPage }
    edges { node { id: rowId slug name downloads author: authorByAuthorId { username } } }
  }
}""",
)
NODE = Operation(
    "node",
    """query Node($id: ID!) {
  node(id: $id) {
    id
    ... on Package { slug name downloads price { amountCents currency } author { username } }
  }
}""",
    lambda subjects: [
        {"id": subjects.global_id("Package", each), "rowId": str(each)} for each in subjects.packages
    ],
    """query Node($rowId: UUID!) {
  node: packageByRowId(rowId: $rowId) {
    id: rowId slug name downloads amountCents: priceCents currency author: authorByAuthorId { username }
  }
}""",
)
THOUSAND = Operation(
    "thousand",
    """query Thousand($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on Author { username packages(first: 20) { edges { node { slug name } } } }
  }
}""",
    lambda subjects: [
        {
            "ids": [subjects.global_id("Author", each) for each in subjects.authors],
            "rowIds": [str(each) for each in subjects.authors],
        }
    ],
    """query Thousand($rowIds: [UUID!]!) {
  nodes: benchAuthorsByRowIds(rowIds: $rowIds) {
    nodes { username packages: listedPackages(first: 20) { edges { node { slug name } } } }
  }
}""",
)
PURCHASE = Operation(
    "purchase",
    """mutation Purchase($input: PurchasePackageInput!) {
  purchasePackage(input: $input) {
    errors { code message }
    purchase { status amount { amountCents currency } package { id slug } version { version } }
  }
}""",
    lambda subjects: [
        {
            "input": {
                "packageId": subjects.global_id("Package", each),
                "idempotencyKey": f"{subjects.run} {number}",
            }
        }
        for number, each in enumerate(subjects.to_buy)
    ],
    changes=True,
)
OPERATIONS = (DASHBOARD, CATALOGUE, SEARCH, NODE, THOUSAND, PURCHASE)
