// Encrypts a snapshot of etcd to the escrow's recipients and signs it, with what Node.js has and nothing else.
//
//   node seal.mjs SNAPSHOT RECIPIENTS KEY FOLDER
//
// It writes two files into FOLDER: TIME.scheduled.db.age, an age file, and its signature in OpenSSH's format. `npx hearth snapshot`
// writes the same, and `age --decrypt` and `ssh-keygen -Y verify` read them: docs/guides/etcd-backups.md.
//
// ENVIRONMENT is the name of the stack. NODE_ADDRESS is the machine's: only the lab's, in 127.0.0.0/8, may use recipients whose identity
// others know.
//
// Sources: C2SP, age.md; openssh/openssh-portable, PROTOCOL.sshsig; BIP 173 for Bech32.
import { Buffer } from "node:buffer";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import process from "node:process";

const chunkLength = 64 * 1024;

const unpadded = (bytes) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");
const derive = (secret, salt, info) => Buffer.from(crypto.hkdfSync("sha256", secret, salt, info, 32));
const seal = (key, nonce, content) => {
  const cipher = crypto.createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  return Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
};

// Recipients that everyone can open: those of the lab and of documentation. See components/secrets/known-recipients.ts.
const strangers = /^age1(kgk8mrt0pt|ql3z7hjy54|lggyhqrw2n|yt3tfqlfrw|s3cqcks5ge|helqcqsh94)/;

/** The 32 bytes of an age recipient of the type X25519. Its checksum reveals typos. */
const recipientKey = (recipient) => {
  const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  const words = [...recipient.slice("age1".length)].map((letter) => alphabet.indexOf(letter));
  const refused = new Error(`${recipient} is no X25519 recipient of age, and the cluster can encrypt to no other`);
  if (!/^age1[a-z0-9]{58}$/.test(recipient) || words.includes(-1)) throw refused;
  const prefix = [...Buffer.from("age")];
  let checksum = 1;
  for (const value of [...prefix.map((byte) => byte >> 5), 0, ...prefix.map((byte) => byte & 31), ...words]) {
    const top = checksum >> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ value;
    [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].forEach((generator, bit) => {
      if ((top >> bit) & 1) checksum ^= generator;
    });
  }
  if (checksum !== 1) throw refused;
  const bits = words.slice(0, 52).map((word) => word.toString(2).padStart(5, "0"));
  return Buffer.from(
    bits
      .join("")
      .match(/.{8}/g)
      .map((byte) => Number.parseInt(byte, 2)),
  );
};

/** The stanza that gives the file's key to a recipient. */
const stanza = (recipient, fileKey) => {
  const theirs = recipientKey(recipient);
  const spki = Buffer.concat([Buffer.from("302a300506032b656e032100", "hex"), theirs]);
  const ephemeral = crypto.generateKeyPairSync("x25519");
  const share = ephemeral.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const shared = crypto.diffieHellman({
    privateKey: ephemeral.privateKey,
    publicKey: crypto.createPublicKey({ key: spki, format: "der", type: "spki" }),
  });
  const key = derive(shared, Buffer.concat([share, theirs]), "age-encryption.org/v1/X25519");
  return `-> X25519 ${unpadded(share)}\n${unpadded(seal(key, Buffer.alloc(12), fileKey))}\n`;
};

/** The beginning of an age file, and the key of what follows. */
const header = (recipients) => {
  const fileKey = crypto.randomBytes(16);
  const text = `age-encryption.org/v1\n${recipients.map((each) => stanza(each, fileKey)).join("")}---`;
  const mac = crypto
    .createHmac("sha256", derive(fileKey, "", "header"))
    .update(text)
    .digest();
  const nonce = crypto.randomBytes(16);
  return {
    bytes: Buffer.concat([Buffer.from(`${text} ${unpadded(mac)}\n`), nonce]),
    key: derive(fileKey, nonce, "payload"),
  };
};

/** Encrypts a file into another, a chunk at a time, and gives the digest of what it wrote. */
const encrypt = (from, to, recipients) => {
  const { bytes, key } = header(recipients);
  const [source, target] = [fs.openSync(from, "r"), fs.openSync(to, "wx", 0o640)];
  const digest = crypto.createHash("sha512");
  const write = (bytes) => {
    digest.update(bytes);
    for (let at = 0; at < bytes.length;) at += fs.writeSync(target, bytes, at);
  };
  const read = () => {
    const chunk = Buffer.alloc(chunkLength);
    let length = 0;
    for (let more = -1; more !== 0 && length < chunkLength; length += more) {
      more = fs.readSync(source, chunk, length, chunkLength - length);
    }
    return chunk.subarray(0, length);
  };
  write(bytes);
  let chunk = read();
  if (chunk.length === 0) throw new Error(`${from} is empty`);
  for (let count = 0n; chunk.length > 0; count += 1n) {
    const next = read();
    // Eleven bytes that count the chunks, and one that marks the last.
    const nonce = Buffer.alloc(12);
    nonce.writeBigUInt64BE(count, 3);
    nonce[11] = next.length === 0 ? 1 : 0;
    write(seal(key, nonce, chunk));
    chunk = next;
  }
  fs.fsyncSync(target);
  for (const each of [source, target]) fs.closeSync(each);
  return digest.digest();
};

const field = (value) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(value));
  return Buffer.concat([length, Buffer.from(value)]);
};

/** The signature of a digest, as components/secrets/sshsig.ts writes it. */
const signature = (digest, key, namespace) => {
  const what = [field(namespace), field(""), field("sha512")];
  const publicKey = crypto.createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  const signed = crypto.sign(null, Buffer.concat([Buffer.from("SSHSIG"), ...what, field(digest)]), key);
  const typed = (bytes) => field(Buffer.concat([field("ssh-ed25519"), field(bytes)]));
  const blob = Buffer.concat([Buffer.from("SSHSIG\0\0\0\u0001"), typed(publicKey), ...what, typed(signed)]);
  const lines = blob.toString("base64").match(/.{1,70}/g);
  return [
    "-----BEGIN SSH SIGNATURE-----",
    ...lines,
    "-----END SSH SIGNATURE-----",
    `sha512 ${digest.toString("hex")}`,
    "",
  ].join("\n");
};

const main = (
  [snapshot, recipientsFile, keyFile, folder],
  { ENVIRONMENT: environment, NODE_ADDRESS: address = "" },
) => {
  const recipients = fs.readFileSync(recipientsFile, "utf8").split("\n").filter(Boolean);
  if (recipients.length === 0)
    throw new Error("Nobody could open this snapshot: name recipients in hearth:escrow.recipients");
  const stranger = address.startsWith("127.") ? undefined : recipients.find((each) => strangers.test(each));
  if (stranger)
    throw new Error(
      `${stranger} is a stranger's, so the snapshot stays here: name your own in hearth:escrow.recipients`,
    );
  const key = crypto.createPrivateKey({
    key: Buffer.from(fs.readFileSync(keyFile, "utf8"), "base64"),
    format: "der",
    type: "pkcs8",
  });
  const time = new Date()
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replaceAll(":", "-");
  const name = `${time}.scheduled.db.age`;
  // A second try of the same pod finds what the first left.
  for (const old of fs.readdirSync(folder)) fs.rmSync(path.join(folder, old));
  const part = path.join(folder, "part");
  const digest = encrypt(snapshot, part, recipients);
  const signed = signature(digest, key, `hearth:${environment}/etcd/${name}`);
  fs.writeFileSync(path.join(folder, `${name}.sig`), signed, { mode: 0o640 });
  fs.renameSync(part, path.join(folder, name));
  console.log(`Sealed ${name} for ${recipients.length} recipients`);
};

try {
  main(process.argv.slice(2), process.env);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
