import { runtime } from "@pulumi/pulumi";

/** How the SDK itself marks a value that is more than JSON: what the project's own reading of the marks is measured by. */
export const {
  specialSigKey: signatureKey,
  specialSecretSig: secretSignature,
  specialOutputValueSig: outputSignature,
  unknownValue: unknownMark,
} = runtime;

/** What every secret has, whatever else is in it. */
export const secretMark = { [signatureKey]: secretSignature };

/** A secret as a message of the engine has it. */
export const secretOnWire = (value: unknown) => ({ ...secretMark, value });

/** A secret as a state has it that was exported in the clear. */
export const secretInState = (value: unknown) => ({ ...secretMark, plaintext: JSON.stringify(value) });
