import { expect } from "chai";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpack } from "../../toolchain/vendors/unpack.ts";
import { tarGz, zip, type TarEntry } from "../support/vendors.ts";

describe("unpack", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-unpack-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Unpacks the member as `program`; gives whether it was there and what the folder holds. */
  const take = async (archive: Buffer, packed: "tar.gz" | "zip" | undefined, member = "greet-1.0/greet") => {
    await writeFile(join(folder, "archive"), archive);
    const found = await unpack(join(folder, "archive"), packed, new Map([[member, join(folder, "program")]]));
    const files = (await readdir(folder, { recursive: true })).filter((name) => name !== "archive");
    return { found: found.has(member), files };
  };
  const content = (): Promise<string> => readFile(join(folder, "program"), "utf8");
  const readme: TarEntry = { path: "greet-1.0/README", content: "read me" };

  for (const [form, archive] of [
    ["tar.gz", tarGz([readme, { path: "greet-1.0/greet", content: "hello" }])],
    ["zip", zip("greet-1.0/greet", "hello")],
    [undefined, Buffer.from("hello")],
  ] as const) {
    it(`takes exactly the file that is named from ${form ?? "what is not packed"}, and makes it executable`, async () => {
      expect(await take(archive, form)).to.deep.equal({ found: true, files: ["program"] });
      expect(await content()).to.equal("hello");
      expect((await stat(join(folder, "program"))).mode & 0o111).to.equal(0o111);
    });
  }

  it("takes a file whose path begins with a dot or a slash, as an image's layers have them", async () => {
    for (const path of ["./greet-1.0/greet", "/greet-1.0/greet"]) {
      expect((await take(tarGz([{ path, content: "hello" }]), "tar.gz")).found).to.equal(true);
    }
  });

  for (const [what, entries] of [
    ["lacks it", [readme]],
    ["has it as a link", [{ path: "greet-1.0/greet", type: "SymbolicLink", linkpath: "/etc/passwd" }]],
    ["has it as a folder", [{ path: "greet-1.0/greet", type: "Directory" }]],
    ["has only paths that lead out", [{ path: "../../../greet-1.0/greet", content: "evil" }]],
  ] as [string, TarEntry[]][]) {
    it(`finds nothing in a tarball that ${what}, and writes nothing`, async () => {
      expect(await take(tarGz(entries), "tar.gz")).to.deep.equal({ found: false, files: [] });
    });
  }

  it("writes nothing outside, whatever else a tarball holds", async () => {
    const entries: TarEntry[] = [
      { path: "../evil", content: "evil" },
      { path: join(folder, "evil"), content: "evil" },
      { path: "greet-1.0", type: "SymbolicLink", linkpath: "/tmp" },
      { path: "greet-1.0/greet", content: "hello" },
    ];
    expect(await take(tarGz(entries), "tar.gz")).to.deep.equal({ found: true, files: ["program"] });
  });

  it("refuses a zip whose paths lead out", async () => {
    const failure = await take(zip("../greet", "evil"), "zip").catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error);
    expect(await readdir(folder)).to.deep.equal(["archive"]);
  });

  it("fails on a tarball that is cut off", async () => {
    const archive = tarGz([{ path: "greet-1.0/greet", content: "hello".repeat(10_000) }]);
    const failure = await take(archive.subarray(0, archive.length - 20), "tar.gz").catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error);
  });
});
