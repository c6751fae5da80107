/** `$${…}`, which is not substituted, or `${variable}` with an optional default. */
const expression = /\$(\$\{)|\$\{(\w+)(?::?[-=]([^}]*))?\}/g;

/**
 * Fills a manifest's variables as Flux does after it has built it.
 *
 * Flux puts nothing where a variable has neither value nor default; here that is an error, since the program would install
 * something else than the person meant. Source: Flux's documentation, Kustomization, "Post build variable substitution".
 *
 * @throws Error naming the variables that have no value.
 */
export const substitute = (text: string, variables: Readonly<Record<string, string>>): string => {
  const unknown = new Set<string>();
  const filled = text.replace(expression, (whole: string, escaped?: string, name?: string, fallback?: string) => {
    if (escaped !== undefined || name === undefined) return escaped ?? whole;
    const value = variables[name] ?? fallback;
    if (value === undefined) unknown.add(name);
    return value ?? whole;
  });
  if (unknown.size === 0) return filled;
  throw new Error(`has no value for ${[...unknown].map((name) => `\${${name}}`).join(", ")}`);
};
