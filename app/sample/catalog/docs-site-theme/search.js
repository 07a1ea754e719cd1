const input = document.querySelector("#search");
const results = document.querySelector("#results");
let index;

const load = () => (index ??= fetch("/search.json").then((response) => response.json()));

function score(page, words) {
  const title = page.title.toLowerCase();
  const text = page.text.toLowerCase();
  if (!words.every((word) => title.includes(word) || text.includes(word))) return 0;
  return words.reduce((sum, word) => sum + (title.includes(word) ? 10 : 1), 0);
}

input?.addEventListener("input", async () => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const pages = words.length ? await load() : [];
  const found = pages
    .map((page) => ({ page, points: score(page, words) }))
    .filter(({ points }) => points > 0)
    .sort((one, other) => other.points - one.points)
    .slice(0, 8);
  results.replaceChildren(
    ...found.map(({ page }) => {
      const link = Object.assign(document.createElement("a"), { href: page.url, textContent: page.title });
      const item = document.createElement("li");
      item.append(link);
      return item;
    }),
  );
});
