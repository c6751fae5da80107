import { expect } from "chai";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "../../docs/decisions");
const read = (file: string): string => readFileSync(join(folder, file), "utf8");

describe("docs/decisions", () => {
  const pages = readdirSync(folder)
    .filter((file) => file !== "README.md")
    .sort();

  it("has an index with the title of every page, in order", () => {
    const titles = pages.map((file) => `- [${read(file).split("\n")[0]?.replace(/^# /, "") ?? ""}](${file})`);
    expect(read("README.md").match(/^- .*/gm)).to.deep.equal(titles);
  });

  it("numbers each page once, and names it by its number", () => {
    const numbers = pages.map((file) => Number(/^# (\d+)\. /.exec(read(file))?.[1]));
    expect(numbers).to.deep.equal(pages.map((file) => Number(file.slice(0, 4))));
    expect(new Set(numbers).size).to.equal(pages.length);
  });
});
