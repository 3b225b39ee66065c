// Routes as methods of a class, by standard decorators: no flags of a compiler, no metadata at run time.

import { App, closeOnSignals, controller, del, get, HttpError, post, reply } from "httpy";
import type { HttpyRequest } from "httpy";

interface Note {
  readonly id: number;
  readonly text: string;
}

@controller("/notes")
class Notes {
  readonly #notes = new Map<number, Note>();
  #lastId = 0;

  @get("/")
  list() {
    return [...this.#notes.values()];
  }

  @get("/:id")
  show(req: HttpyRequest<{ id: string }>) {
    return this.#note(req.params.id);
  }

  @post("/")
  async create(req: HttpyRequest) {
    const note = { id: ++this.#lastId, text: await req.text() };
    this.#notes.set(note.id, note);
    return reply(JSON.stringify(note), {
      status: 201,
      contentType: "application/json",
      headers: { location: `/notes/${note.id}` },
    });
  }

  /** A handler that gives nothing answers 204. */
  @del("/:id")
  remove(req: HttpyRequest<{ id: string }>) {
    this.#notes.delete(this.#note(req.params.id).id);
  }

  #note(id: string): Note {
    const note = this.#notes.get(Number(id));
    if (note === undefined) throw new HttpError(404, `there is no note ${id}`);
    return note;
  }
}

const app = new App();
app.register(Notes);

const server = await app.listen({ host: "localhost", port: Number(process.env["PORT"] ?? 3000) });
closeOnSignals(server);
console.log(`listening on ${server.urls[0]}`);
