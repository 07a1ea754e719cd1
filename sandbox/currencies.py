"""Which currencies does Stripe charge, and how is an amount of minor units written?"""

CODES = """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf
    chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg
    huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk
    mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub
    rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd
    vuv wst xaf xcd xof xpf yer zar zmw
"""
SUPPORTED = frozenset(CODES.split())
WITHOUT_MINOR_UNITS = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf"
WHOLE = frozenset(WITHOUT_MINOR_UNITS.split())
IN_THOUSANDTHS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
"""Three decimals, of which the last must be 0: docs.stripe.com/currencies#three-decimal"""


def spelled(amount: int, currency: str) -> str:
    """`spelled(123456, "usd") == "1,234.56 USD"`, `spelled(500, "jpy") == "500 JPY"`."""
    decimals = 0 if currency in WHOLE else 3 if currency in IN_THOUSANDTHS else 2
    return f"{amount / 10**decimals:,.{decimals}f} {currency.upper()}"
