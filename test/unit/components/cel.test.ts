import { expect } from "chai";
import fc from "fast-check";

import { diskSelectorProblem, selectsDisk } from "../../../components/talos/cel/disks.ts";

/** What Talos v1.13.9 compiles, and what it does not, as celenv.DiskLocator answered. */
const compiles = [
  'disk.transport == "nvme" && !system_disk',
  "disk.size >= 50u * GiB && disk.size <= 1u*TB",
  "100u * GB < disk.size",
  "disk.serial in ['x', 'y']",
  "disk.size in [1u, 2u]",
  'disk.transport in ["nvme", "virtio",]',
  'glob("*Samsung*", disk.model)',
  'disk.model.startsWith("S") && disk.model.endsWith("1") && disk.model.matches("^a.*$")',
  'matches(disk.model, "^a")',
  "disk.model.size() > 3",
  'disk.symlinks.exists(s, s.startsWith("/dev/disk"))',
  'disk.symlinks.map(s, s + "x") == ["x"]',
  'disk.symlinks.filter(s, s.contains("a")).size() > 0',
  'disk.symlinks[0] == "a"',
  '"/dev/sda" in disk.symlinks',
  "has(disk.serial)",
  "disk.model == 'a = b'",
  'disk.model == r"a\\d"',
  'disk.model == """a"b"""',
  'disk.dev_path == "/dev/sda" ? system_disk : disk.size > 1u',
  'disk.model + "x" == "ax"',
  "disk.size % 2u == 0u",
  "int(disk.size) > 100",
  "uint(100) * GB < disk.size",
  "dyn(disk.size) > 100",
  "type(disk.size) == uint",
  "disk.size > 0x10u",
  "disk.size > 1u // a comment",
  "1 < 2 == true",
  "--1 == 1",
  '{"a": true}["a"]',
  "disk.symlinks == []",
];

const fails = [
  'disk.transport = "nvme"',
  "disk.size >= 50 * GiB",
  "disk.size > 1.5",
  "disk.sizes > 1u",
  "!disk.size",
  "-disk.size > 1u",
  'disk.serial in "xy"',
  'disk.serial in ["x", 1] && disk.size',
  'glob("*")',
  'disk.model.glob("x")',
  'contains(disk.model, "a")',
  "disk.symlinks.exists(s, s == 1)",
  'disk.symlinks["0"] == "a"',
  "has(disk)",
  "has(disk.foo)",
  'disk.dev_path == "/dev/sda" ? 1 : false',
  "disk",
  'disk.model - "x" == "a"',
  "disk.size & 1u == 1u",
  'disk.transport == "nvme',
  '(disk.transport == "nvme"',
  "disk.transport ==",
  'disk["size"] > 1u',
  "disk.size >= 50u GiB",
  "disk.uuid != null",
  'glob("a", disk.model,)',
  "now() > 1",
  "disk.size.foo",
  '[1] == ["a"]',
  "",
  "#",
];

describe("a selector of disks", () => {
  it("is taken where Talos compiles it", () => {
    expect(compiles.filter((text) => diskSelectorProblem(text) !== undefined)).to.deep.equal([]);
  });

  it("is refused, with what to do, where Talos does not compile it", () => {
    expect(fails.filter((text) => diskSelectorProblem(text) === undefined)).to.deep.equal([]);
    for (const text of fails) expect(diskSelectorProblem(text)?.advice, text).to.match(/\w/);
  });

  it("selects by size as numbers compare", () => {
    const units = { MiB: 1024 ** 2, GiB: 1024 ** 3, MB: 1000 ** 2, GB: 1000 ** 3 };
    const unit = fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[]));
    const operator = fc.constantFrom("<", "<=", ">", ">=", "==", "!=");
    fc.assert(
      fc.property(fc.nat(5000), unit, operator, fc.nat(5000), (number, named, sign, size) => {
        const limit = number * units[named];
        const bytes = size * units.GiB;
        const expected = { "<": bytes < limit, "<=": bytes <= limit, ">": bytes > limit, ">=": bytes >= limit };
        const equal = { "==": bytes === limit, "!=": bytes !== limit };
        const text = `disk.size ${sign} ${number}u * ${named}`;
        expect(selectsDisk(text, { size: bytes })).to.equal({ ...expected, ...equal }[sign]);
      }),
    );
  });

  it("never contradicts itself when more becomes known", () => {
    const atom = fc.constantFrom(
      ...["system_disk", "(disk.size > 5u)", "disk.rotational", "glob('v*', disk.transport)", "true", "false"],
    );
    const expression = fc.letrec<{ any: string }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        atom,
        tie("any").map((inner) => `!(${inner})`),
        fc.tuple(tie("any"), fc.constantFrom("&&", "||", "=="), tie("any")).map(([a, op, b]) => `(${a} ${op} ${b})`),
        fc.tuple(tie("any"), tie("any"), tie("any")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      ),
    })).any;
    fc.assert(
      fc.property(expression, fc.boolean(), fc.nat(10), (text, system, size) => {
        expect(diskSelectorProblem(text), text).to.equal(undefined);
        const all = selectsDisk(text, { system, size, virtual: true });
        for (const less of [{}, { system }, { size }, { system, size }]) {
          const early = selectsDisk(text, less);
          if (early !== undefined) expect(early, text).to.equal(all);
        }
      }),
    );
  });

  it("says nothing of what is not known", () => {
    expect(selectsDisk("disk.rotational", { system: true })).to.equal(undefined);
    expect(selectsDisk('disk.model.matches("x")', { virtual: true })).to.equal(undefined);
    expect(selectsDisk("disk.size >", { size: 1 })).to.equal(undefined);
    expect(selectsDisk('glob("vir*o", disk.transport)', { virtual: true })).to.equal(true);
    expect(selectsDisk('disk.transport in ["nvme", "sata"]', { virtual: true })).to.equal(false);
  });
});
