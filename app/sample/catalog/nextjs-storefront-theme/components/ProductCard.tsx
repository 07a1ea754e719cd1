import Image from "next/image";
import Link from "next/link";

import { Price, type Money } from "./Price";

export type Product = {
  slug: string;
  title: string;
  price: Money;
  image: { src: string; alt: string };
  soldOut: boolean;
};

export function ProductCard({ product, locale }: { product: Product; locale: string }) {
  return (
    <article className="card">
      <Image src={product.image.src} alt={product.image.alt} width={640} height={800} />
      <h2>
        <Link href={`/products/${product.slug}`}>{product.title}</Link>
      </h2>
      {product.soldOut ? <span className="badge">Sold out</span> : <Price price={product.price} locale={locale} />}
    </article>
  );
}
