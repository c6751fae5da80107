/** Matches `$${…}`, which is not substituted, and `${variable}` with an optional default. */
const expression = /\$(\$\{)|\$\{(\w+)(?::?[-=]([^}]*))?\}/g;

/**
 * Substitutes the variables of a manifest as Flux does after its build.
 *
 * Flux substitutes an empty string for a variable that has neither a value nor a default. Here that is an error, because the
 * program would install something that nobody meant. Source: Flux's documentation, Kustomization, "Post build variable
 * substitution".
 *
 * @throws Error that names the variables without a value
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
