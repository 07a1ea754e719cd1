"""How does text become a document without letting the text hurt the server?"""

from graphql import DocumentNode, GraphQLSyntaxError
from graphql import parse as parse_document
from graphql.language.parser import MAX_NESTING_DEPTH

from app.engine.limits import LimitExceeded, Limits


def parse(text: str, limits: Limits) -> DocumentNode:
    """The document that `text` holds.

    Raises LimitExceeded (text, tokens, comments, nesting) and GraphQLSyntaxError.
    """
    # Counted in bytes; the first test spares encoding a text that is far too long.
    size = len(text) if len(text) > limits.text else len(text.encode("utf-8", "surrogatepass"))
    if size > limits.text:
        raise LimitExceeded(name="text", limit=limits.text, actual=size)
    try:
        return parse_document(text, max_lexical_tokens=limits.tokens, max_comments=limits.tokens)
    except GraphQLSyntaxError as error:
        exceeded = _exceeded(error, limits)
        if exceeded is None:
            raise
        raise exceeded from None


def _exceeded(error: GraphQLSyntaxError, limits: Limits) -> LimitExceeded | None:
    # The parser tells its own limits from wrong syntax by nothing but the words; a test holds it to them.
    if not error.message.endswith(" Parsing aborted."):
        return None
    if "nested too deeply" in error.message:
        return LimitExceeded(name="nesting", limit=MAX_NESTING_DEPTH, actual=MAX_NESTING_DEPTH + 1)
    name = "comments" if "comments" in error.message else "tokens"
    return LimitExceeded(name=name, limit=limits.tokens, actual=limits.tokens + 1)
