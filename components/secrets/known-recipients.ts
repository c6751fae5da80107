/**
 * Age recipients whose identity is known to others, and what they are. People copy them from the documentation.
 *
 * Sources: FiloSottile/age, README; getsops/sops, README, "Encrypting using age"; fluxcd/website, "Manage Kubernetes secrets with
 * SOPS".
 */
const known = new Map([
  ["age1kgk8mrt0pt63cnt6qjj2up7wlm5ec5ss2su6jaf96l52xzdt9dqsagwzxe", "the lab's, whose identity everyone can derive"],
  ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p", "a sample of age's documentation"],
  ["age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg", "a sample of age's documentation"],
  ["age1yt3tfqlfrwdwx0z0ynwplcr6qxcxfaqycuprpmy89nr83ltx74tqdpszlw", "a sample of SOPS's documentation"],
  ["age1s3cqcks5genc6ru8chl0hkkd04zmxvczsvdxq99ekffe4gmvjpzsedk23c", "a sample of SOPS's documentation"],
  ["age1helqcqsh9464r8chnwc2fzj8uv7vr5ntnsft0tn45v2xtz0hpfwq98cmsg", "a sample of Flux's documentation"],
]);

/** Describes a recipient whose identity others know. Returns undefined for all other recipients. */
export const strangerOf = (recipient: string): string | undefined => known.get(recipient.trim().toLowerCase());

/** Finds the recipients in a text whose identity others know. */
export const strangersIn = (text: string): { recipient: string; what: string }[] =>
  [...known].filter(([recipient]) => text.includes(recipient)).map(([recipient, what]) => ({ recipient, what }));

/** Whether a recipient is a placeholder in a committed file, such as `<your age recipient>`. */
export const isPlaceholder = (recipient: string): boolean => /^<.+>$/.test(recipient);
