"""How large a rate must be for so many bad rows of so many: what few rows prove, and no more."""

# One-sided. At 95 % a limit of 2 % refuses 2 bad rows of 10, 6 of 100 and 2,074 of 100,000; 99 %
# would let 2 of 10 pass, and 6 of 100.
CONFIDENCE = 0.95


def rate_at_least(num_bad: int, num_rows: int) -> float:
    """The lower confidence bound of the rate of bad rows (Clopper and Pearson, 1934; exact).

    Where every row is bad it is 1, however few they are: there is nothing to publish.

    Args:
        num_bad: of `num_rows`.

    Raises:
        ValueError: counts that can't be.

    Example:
        >>> [round(rate_at_least(*counts), 3) for counts in [(0, 10), (1, 10), (30, 1000), (3, 3)]]
        [0.0, 0.005, 0.022, 1.0]
    """
    from scipy.special import betaincinv  # type: ignore[import-untyped]

    if not 0 <= num_bad <= num_rows:
        raise ValueError(f"{num_bad} bad rows of {num_rows}: give a part of the rows, and all")
    if not num_bad:
        return 0.0
    if num_bad == num_rows:
        return 1.0
    return float(betaincinv(num_bad, num_rows - num_bad + 1, 1 - CONFIDENCE))
