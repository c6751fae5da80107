/** The key by which the engine marks a value that is more than JSON. Source: pulumi/pulumi, sdk/go/common/resource/sig. */
export const signatureKey = "4dabf18193072939515e22adb298388d";

/** What stands below that key in a secret. */
export const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** What stands for a value that is not known yet, by its type. Source: pulumi/pulumi, sdk/go/common/resource/plugin, rpc.go. */
const unknowns = new Set([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** Whether a text stands for a value that is not known yet. */
export const isUnknownMark = (text: string): boolean => unknowns.has(text);
