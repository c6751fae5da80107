import { markedBody, markerOf } from "./body.ts";
import type { GitHub } from "./github.ts";

/** The outcome for a comment. */
export type Outcome = "created" | "edited" | "unchanged";

/**
 * Keeps one comment with a name on a pull request: creates it the first time, and then edits it in place.
 *
 * It does not touch another account's comment with the same marker.
 *
 * @param number of the pull request
 * @param name of the comment, such as `preview dev`
 * @param text in Markdown
 */
export const keepComment = async (
  { api, repository, login }: GitHub,
  number: number,
  name: string,
  text: string,
): Promise<Outcome> => {
  const body = markedBody(name, text);
  const comments = await api.paginate(api.issues.listComments, { ...repository, issue_number: number, per_page: 100 });
  const own = comments.find((comment) => comment.user?.login === login && comment.body?.startsWith(markerOf(name)));
  if (own === undefined) {
    await api.issues.createComment({ ...repository, issue_number: number, body });
    return "created";
  }
  if (own.body === body) return "unchanged";
  await api.issues.updateComment({ ...repository, comment_id: own.id, body });
  return "edited";
};
