// Routes by standard decorators (TC39 stage 3, as TypeScript 5 and esbuild compile them).
//
//   @controller("/users")
//   class Users {
//     @get("/:id") show(request: HttpyRequest<{ id: string }>) { return { id: request.params.id }; }
//   }
//   app.register(Users);
//
// A method's routes are noted when an instance is made, by the decorator's initializer, and kept beside the
// instance; so other decorators may replace the method, subclasses inherit routes, and constructors may take
// what they need when the instance is given to `register`. Decorators of one method run from the lowest up;
// middlewares are put in front, so they surround the method in the order they are written.

import type { Handler } from "./handler.ts";

/** A method that may be decorated: it takes the request and, as a middleware would, `next`. */
export type RouteMethod = (request: never, next: never) => unknown;

/** What a method decorator does. */
export type RouteDecorator = (method: RouteMethod, context: ClassMethodDecoratorContext) => void;

/** A class that can be registered without arguments. */
export type ControllerClass = new () => object;

/** A route that a controller declares. */
export interface DeclaredRoute {
  readonly methods: readonly string[];
  readonly path: string;
  readonly handlers: readonly Handler[];
}

/** What a controller declares: a prefix, middlewares for all of it, and routes. */
export interface Declaration {
  readonly prefix: string;
  readonly middlewares: readonly Handler[];
  readonly routes: readonly DeclaredRoute[];
}

interface MethodNotes {
  readonly places: Array<{ methods: readonly string[]; path: string }>;
  readonly middlewares: Handler[];
}

interface ClassNotes {
  prefix: string;
  readonly middlewares: Handler[];
}

/** The method of a route that answers every method, as `on` of a router would not take it. */
const EVERY: readonly string[] = [];

const notesOfInstance = new WeakMap<object, Map<string | symbol, MethodNotes>>();
const notesOfClass = new WeakMap<object, ClassNotes>();

/** Puts the routes of a class below a prefix. */
export function controller(prefix = "/") {
  return (target: abstract new (...args: never[]) => object, context: ClassDecoratorContext): void => {
    demandKind("@controller", context, "class");
    classNotes(target).prefix = prefix;
  };
}

/** Middlewares for a method, or for every route of a class. */
export function use(...middlewares: [Handler, ...Handler[]]) {
  return (
    target: RouteMethod | (abstract new (...args: never[]) => object),
    context: ClassMethodDecoratorContext | ClassDecoratorContext,
  ): void => {
    if (context.kind === "class") {
      classNotes(target).middlewares.unshift(...middlewares);
      return;
    }
    demandKind("@use", context, "method");
    onInstance(context, (notes) => notes.middlewares.unshift(...middlewares));
  };
}

/** Answers one or several methods at a path. */
export function on(methods: string | readonly string[], path: string): RouteDecorator {
  return decorator("@on", typeof methods === "string" ? [methods] : methods, path);
}

/** Answers GET, and HEAD where no route of its own does. */
export function get(path: string): RouteDecorator {
  return decorator("@get", ["GET"], path);
}

/** Answers HEAD. */
export function head(path: string): RouteDecorator {
  return decorator("@head", ["HEAD"], path);
}

/** Answers POST. */
export function post(path: string): RouteDecorator {
  return decorator("@post", ["POST"], path);
}

/** Answers PUT. */
export function put(path: string): RouteDecorator {
  return decorator("@put", ["PUT"], path);
}

/** Answers PATCH. */
export function patch(path: string): RouteDecorator {
  return decorator("@patch", ["PATCH"], path);
}

/** Answers DELETE; `delete` itself is a reserved word. */
export function del(path: string): RouteDecorator {
  return decorator("@del", ["DELETE"], path);
}

/** Answers OPTIONS, in place of the automatic answer. */
export function options(path: string): RouteDecorator {
  return decorator("@options", ["OPTIONS"], path);
}

/** Answers every method. */
export function all(path: string): RouteDecorator {
  return decorator("@all", EVERY, path);
}

/** What a controller declares; given a class, an instance is made. Routes of every method have no `methods`. */
export function declarationOf(given: object | ControllerClass): Declaration {
  const instance = typeof given === "function" ? new (given as ControllerClass)() : given;
  const methods = notesOfInstance.get(instance);
  const name = instance.constructor.name;
  if (methods === undefined) throw new TypeError(`register: ${name} has no method decorated with a route`);
  const routes: DeclaredRoute[] = [];
  for (const [key, { places, middlewares }] of methods) {
    if (places.length === 0) throw new TypeError(`register: ${name}.${String(key)} has @use but no route`);
    const method = (instance as Record<string | symbol, unknown>)[key] as Handler;
    const handler: Handler = (request, next) => method.call(instance, request, next);
    for (const place of places) routes.push({ ...place, handlers: [...middlewares, handler] });
  }
  return { ...inheritedClassNotes(instance.constructor), routes };
}

function decorator(name: string, methods: readonly string[], path: string): RouteDecorator {
  return (_method, context) => {
    demandKind(name, context, "method");
    if (context.private || context.static) {
      throw new TypeError(`${name}: ${String(context.name)} must be a public method of instances`);
    }
    onInstance(context, (notes) => notes.places.push({ methods, path }));
  };
}

function onInstance(context: ClassMethodDecoratorContext, note: (notes: MethodNotes) => void): void {
  const key = context.name;
  context.addInitializer(function (this: unknown) {
    const instance = this as object;
    let methods = notesOfInstance.get(instance);
    if (methods === undefined)
      notesOfInstance.set(instance, (methods = new Map<string | symbol, MethodNotes>()));
    let notes = methods.get(key);
    if (notes === undefined) methods.set(key, (notes = { places: [], middlewares: [] }));
    note(notes);
  });
}

function classNotes(target: object): ClassNotes {
  let notes = notesOfClass.get(target);
  if (notes === undefined) notesOfClass.set(target, (notes = { prefix: "/", middlewares: [] }));
  return notes;
}

/** The notes of the class, or of the nearest one it extends. */
function inheritedClassNotes(target: object): ClassNotes {
  let at: object | null = target;
  while (at !== null) {
    const notes = notesOfClass.get(at);
    if (notes !== undefined) return notes;
    at = Object.getPrototypeOf(at) as object | null;
  }
  return { prefix: "/", middlewares: [] };
}

function demandKind(name: string, context: DecoratorContext | undefined, kind: "class" | "method"): void {
  // Under `experimentalDecorators` the second argument is a property name or missing.
  const found = typeof context === "object" ? context.kind : "a legacy decorator's target";
  if (found !== kind)
    throw new TypeError(`${name} decorates a ${kind}, not ${found}; standard decorators are needed`);
}
