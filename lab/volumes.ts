import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Sops } from "../lib/secrets/sops.ts";
import { moduleFolder } from "../toolchain/modules.ts";
import { messageOf, Problem } from "../toolchain/problem.ts";
import { labAgeIdentity } from "../lib/secrets/lab-identity.ts";
import type { LabFolder } from "../lib/engine/lab-folder.ts";
import type { Bucket } from "./lab-config.ts";

/** Programs that volumes with data need in addition to the simulators'. */
export const volumePrograms = ["volsync", "restic", "versitygw"];

/** Whether the volumes of a stack's lab hold data. */
export const keepsVolumes = ({ volumes }: LabFolder): Promise<boolean> =>
  access(volumes).then(
    () => true,
    () => false,
  );

/** Makes a lab's volumes hold data until it is reset. Fails if the lab exists already with volumes that hold none. */
export const keepVolumes = async (folder: LabFolder): Promise<void> => {
  if (await keepsVolumes(folder)) return;
  const isThere = await access(folder.kubeconfig).then(
    () => true,
    () => false,
  );
  if (isThere) {
    throw new Problem(
      `The lab of ${folder.stack} has volumes that hold nothing: run \`npm run lab -- reset ${folder.stack}\` first`,
    );
  }
  await writeFile(folder.volumes, "");
};

/** VolSync's Go module, which has the mover's script that the lab runs. */
export const volsyncModule = (root: string): Promise<string> =>
  moduleFolder(join(root, "toolchain", "charts"), "github.com/backube/volsync");

/** The file of a cluster's tree that names its bucket. */
const environmentFile = (treePath: string): string => join(treePath, "environment.sops.yaml");

interface Environment {
  stringData?: Record<string, string>;
}

/** The bucket that a cluster's tree backs volumes up to, served at an address of the lab. */
export const bucketOf = async (root: string, treePath: string, address: string): Promise<Bucket> => {
  const file = environmentFile(treePath);
  const sops = await Sops.find(root);
  const decrypted = sops.decrypt(await readFile(join(root, file), "utf8"), {
    identities: [labAgeIdentity],
    kms: false,
  });
  const { stringData = {} } = (await decrypted.catch((error: unknown) => {
    throw new Problem(
      `The lab's key cannot decrypt ${file}, which names the bucket for backups: ` +
        `${messageOf(error)}. Run without --volumes`,
    );
  })) as Environment;
  return bucketFrom(stringData, file, address);
};

/**
 * The bucket that variables of a tree describe. Pure.
 *
 * @throws Problem if the lab cannot stand for the service
 */
export const bucketFrom = (variables: Record<string, string>, file: string, address: string): Bucket => {
  const value = (name: string): string => {
    const found = variables[name];
    if (found === undefined || found === "")
      throw new Problem(`${file} lacks ${name}, which says where volumes are backed up`);
    return found;
  };
  const endpoint = value("backup_s3_endpoint");
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url?.protocol !== "https:" || url.port !== "" || url.pathname !== "/") {
    throw new Problem(
      `${file}: backup_s3_endpoint is ${endpoint}, but the lab can serve only https:// with a host name`,
    );
  }
  return {
    address,
    host: url.hostname,
    name: value("backup_s3_bucket"),
    accessKey: value("backup_volumes_access_key"),
    secretKey: value("backup_volumes_secret_key"),
    region: value("backup_s3_region"),
  };
};
