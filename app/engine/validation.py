"""Is the document valid against the schema, found out at a bounded price?"""

from collections.abc import Sequence

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
    specified_rules,
    validate,
)

from app.engine.limits import LimitExceeded

MAX_ERRORS = 10
# Comparing fields that share a response key is quadratic. The library allows 500,000 steps, which block the
# event loop for up to two seconds; these here take 40 ms at most, and usual documents need fewer than 1,000.
OVERLAP_STEPS = 5_000


class BoundedOverlapRule(OverlappingFieldsCanBeMergedRule):
    """The specified rule, which ends the validation with an error when it has taken OVERLAP_STEPS."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = OVERLAP_STEPS


def find_errors(
    document: DocumentNode,
    *,
    schema: GraphQLSchema,
    further_rules: Sequence[type[ASTValidationRule]] = (),
    hide_suggestions: bool = False,
) -> list[GraphQLError]:
    """At most MAX_ERRORS violations and one error that says there are more; empty for a valid document.

    Raises LimitExceeded (field_comparisons).
    """
    rules = [rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule]
    rules += [BoundedOverlapRule, *further_rules]
    errors = validate(schema, document, rules, max_errors=MAX_ERRORS, hide_suggestions=hide_suggestions)
    if errors and errors[-1].message == "Validation aborted.":
        raise LimitExceeded(name="field_comparisons", limit=OVERLAP_STEPS, actual=OVERLAP_STEPS + 1)
    return errors
