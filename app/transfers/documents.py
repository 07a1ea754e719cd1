"""GET /documents?token=…: an invoice or a receipt as PDF. No log keeps the query, where the token stands."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.context import Deps
from app.domain.errors import DomainError, RateLimited, Unavailable
from app.ports import PrintingError
from app.services import documents
from app.transfers.problems import problem


def routes(deps: Deps) -> list[Route]:
    async def document(request: Request) -> Response:
        try:
            return await _document(deps, request.query_params.get("token", ""))
        except DomainError as error:
            return problem(error)
        except PrintingError:
            return problem(Unavailable("printer"))

    return [Route("/documents", document, methods=["GET"])]


async def _document(deps: Deps, token: str) -> Response:
    link = documents.opened(token, tokens=deps.tokens, now=deps.clock())
    wait = await deps.limiter.hit("requests", str(link.user_id))
    if wait:
        raise RateLimited(retry_after=wait)
    paper = await documents.paper_of(link, database=deps.database, seller=deps.seller)
    headers = {
        "cache-control": "private, no-store",
        "content-disposition": f'inline; filename="{paper.filename}.pdf"',
        "x-content-type-options": "nosniff",
    }
    return Response(await deps.printer.pdf(paper), headers=headers, media_type="application/pdf")
