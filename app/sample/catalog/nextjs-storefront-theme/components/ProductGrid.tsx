import { ProductCard, type Product } from "./ProductCard";

export function ProductGrid({ products, locale }: { products: Product[]; locale: string }) {
  if (products.length === 0) {
    return <p className="empty">Nothing here yet. New pieces arrive every month.</p>;
  }
  return (
    <ul className="grid">
      {products.map((product) => (
        <li key={product.slug}>
          <ProductCard product={product} locale={locale} />
        </li>
      ))}
    </ul>
  );
}
