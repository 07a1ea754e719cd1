"use client";

export type Product = { slug: string; title: string; price: number; currency: string; image: string };

export function ProductGrid({ products }: { products: Product[] }) {
  return (
    <ul className="grid">
      {products.map((product) => (
        <li key={product.slug} className="card">
          <img src={product.image} alt={product.title} />
          <h2>
            <a href={`/products/${product.slug}`}>{product.title}</a>
          </h2>
          <span className="price">
            {product.price} {product.currency}
          </span>
        </li>
      ))}
    </ul>
  );
}
