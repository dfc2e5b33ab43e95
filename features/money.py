"""How many decimals a currency has, to turn minor units into the unit people say."""

from __future__ import annotations

# ISO 4217 currencies whose exponent is not 2.
_NO_DECIMALS = {
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
}  # fmt: skip
_THREE_DECIMALS = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}


def minor_units(currency: str) -> int:
    """Return how many minor units make one unit of a currency.

    Examples
    --------
    >>> minor_units("EUR"), minor_units("KRW"), minor_units("KWD")
    (100, 1, 1000)
    """
    if currency.upper() in _NO_DECIMALS:
        return 1
    return 1000 if currency.upper() in _THREE_DECIMALS else 100
