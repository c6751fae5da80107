/**
 * Returns the key of IPsec in the form of Cilium's Secret: its number, the algorithm, 20 bytes and the length of its tag. The plus
 * makes each pair of nodes derive keys of its own.
 *
 * Source: cilium/cilium v1.20.2, Documentation/security/network/encryption-ipsec.rst.
 *
 * @param seed base64 of at least 20 bytes
 */
export const ipsecKey = (seed: string): string =>
  `3+ rfc4106(gcm(aes)) ${Buffer.from(seed, "base64").subarray(0, 20).toString("hex")} 128`;
