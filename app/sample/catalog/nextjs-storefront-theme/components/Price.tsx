export type Money = { amountMinor: number; currency: string };

/** Minor units to the visitor's spelling: 320000 JPY has no decimals, 5900 EUR has two. */
export function formatMoney({ amountMinor, currency }: Money, locale: string): string {
  const format = new Intl.NumberFormat(locale, { style: "currency", currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(amountMinor / 10 ** digits);
}

export function Price({ price, locale }: { price: Money; locale: string }) {
  return <span className="price">{formatMoney(price, locale)}</span>;
}
