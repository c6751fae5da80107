/** Returns the error that `work` fails with. @throws if it does not fail */
export const failureOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => {
      throw new Error("It did not fail");
    },
    (error: unknown) => error as Error,
  );

/** Returns the message of the error that `work` fails with. @throws if it does not fail */
export const messageOf = async (work: Promise<unknown>): Promise<string> => (await failureOf(work)).message;
