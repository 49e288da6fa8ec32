// Shell variables: scalars, indexed and associative arrays, attributes, and the scopes of functions (dynamic scoping).

export interface Variable {
  value: string | undefined;
  /** Indexed array: sparse. */
  list: string[] | undefined;
  map: Map<string, string> | undefined;
  isExported: boolean;
  isReadonly: boolean;
  isInteger: boolean;
  isLower: boolean;
  isUpper: boolean;
}

export class ReadonlyError extends Error {
  readonly variable: string;
  constructor(variable: string) {
    super(`${variable}: readonly variable`);
    this.variable = variable;
  }
}

export function newVariable(value?: string): Variable {
  return {
    value,
    list: undefined,
    map: undefined,
    isExported: false,
    isReadonly: false,
    isInteger: false,
    isLower: false,
    isUpper: false,
  };
}

export interface DynamicVariable {
  get(): string | readonly string[] | undefined;
  set?(value: string): void;
}

type Scope = Map<string, Variable>;

export class Variables {
  readonly dynamic = new Map<string, DynamicVariable>();
  /** What an assignment to an integer variable means. */
  evaluate: (expression: string) => string = (expression) => expression;
  /** Called after every change of these. */
  onChange: ((name: string) => void) | undefined;
  #globals: Scope = new Map();
  #scopes: Scope[] = [];
  #environment: Map<string, string> | undefined;

  /** A copy for a subshell. */
  clone(): Variables {
    const copy = new Variables();
    const copyScope = (scope: Scope): Scope => {
      const out: Scope = new Map();
      for (const [name, v] of scope) out.set(name, { ...v, list: v.list?.slice(), map: v.map === undefined ? undefined : new Map(v.map) });
      return out;
    };
    copy.#globals = copyScope(this.#globals);
    copy.#scopes = this.#scopes.map(copyScope);
    return copy;
  }

  pushScope(): void {
    this.#scopes.push(new Map());
  }

  popScope(): void {
    const scope = this.#scopes.pop()!;
    for (const [name, v] of scope) {
      if (v.isExported) this.#environment = undefined;
      this.onChange?.(name);
    }
  }

  get depth(): number {
    return this.#scopes.length;
  }

  find(name: string): Variable | undefined {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const found = this.#scopes[i]!.get(name);
      if (found !== undefined) return found;
    }
    return this.#globals.get(name);
  }

  /** The variable, made in the global scope when there is none. */
  obtain(name: string): Variable {
    let found = this.find(name);
    if (found === undefined) {
      found = newVariable();
      this.#globals.set(name, found);
    }
    return found;
  }

  obtainGlobal(name: string): Variable {
    let found = this.#globals.get(name);
    if (found === undefined) this.#globals.set(name, (found = newVariable()));
    return found;
  }

  /** A variable of the innermost function. */
  declareLocal(name: string): Variable {
    const scope = this.#scopes.at(-1) ?? this.#globals;
    let found = scope.get(name);
    if (found === undefined) {
      found = newVariable();
      const outer = this.find(name);
      if (outer?.isExported) found.isExported = true;
      scope.set(name, found);
    }
    return found;
  }

  isLocal(name: string): boolean {
    return this.#scopes.at(-1)?.has(name) ?? false;
  }

  names(): string[] {
    const names = new Set(this.#globals.keys());
    for (const scope of this.#scopes) for (const name of scope.keys()) names.add(name);
    for (const name of this.dynamic.keys()) names.add(name);
    return [...names].sort();
  }

  /** The value as `$name` shows it. */
  get(name: string): string | undefined {
    const dynamic = this.dynamic.get(name);
    if (dynamic !== undefined && !this.#isShadowed(name)) {
      const value = dynamic.get();
      return typeof value === 'string' || value === undefined ? value : value[0];
    }
    const v = this.find(name);
    if (v === undefined) return undefined;
    if (v.list !== undefined) return v.list[0];
    if (v.map !== undefined) return v.map.get('0');
    return v.value;
  }

  #isShadowed(name: string): boolean {
    return this.#scopes.some((scope) => scope.has(name));
  }

  isSet(name: string): boolean {
    return this.get(name) !== undefined;
  }

  set(name: string, value: string): void {
    const dynamic = this.dynamic.get(name);
    if (dynamic !== undefined && !this.#isShadowed(name)) {
      dynamic.set?.(value);
      return;
    }
    this.assign(name, this.obtain(name), value);
  }

  /** Assigns with the variable's attributes. Throws ReadonlyError. */
  assign(name: string, v: Variable, value: string): void {
    if (v.isReadonly) throw new ReadonlyError(name);
    const shaped = this.shape(v, value);
    if (v.list !== undefined) v.list[0] = shaped;
    else if (v.map !== undefined) v.map.set('0', shaped);
    else v.value = shaped;
    if (v.isExported) this.#environment = undefined;
    if (this.onChange !== undefined) this.onChange(name);
  }

  shape(v: Variable, value: string): string {
    if (v.isInteger) return this.evaluate(value);
    if (v.isUpper) return value.toUpperCase();
    if (v.isLower) return value.toLowerCase();
    return value;
  }

  setElement(name: string, index: number | string, value: string): void {
    const v = this.obtain(name);
    if (v.isReadonly) throw new ReadonlyError(name);
    const shaped = this.shape(v, value);
    if (v.map !== undefined) v.map.set(String(index), shaped);
    else {
      this.#toList(v);
      v.list![Number(index)] = shaped;
    }
  }

  setList(name: string, values: readonly string[]): void {
    const v = this.obtain(name);
    if (v.isReadonly) throw new ReadonlyError(name);
    v.map = undefined;
    v.value = undefined;
    v.list = [...values];
  }

  #toList(v: Variable): void {
    if (v.list !== undefined) return;
    v.list = v.value === undefined ? [] : [v.value];
    v.value = undefined;
  }

  makeList(v: Variable): void {
    this.#toList(v);
  }

  isArray(name: string): boolean {
    const v = this.find(name);
    if (v !== undefined) return v.list !== undefined || v.map !== undefined;
    return Array.isArray(this.dynamic.get(name)?.get());
  }

  /** Keys in bash's order: indexes ascending. */
  keys(name: string): string[] {
    const dynamic = this.dynamic.get(name)?.get();
    if (dynamic !== undefined && this.find(name) === undefined)
      return typeof dynamic === 'string' ? ['0'] : dynamic.map((_, i) => String(i));
    const v = this.find(name);
    if (v === undefined) return [];
    if (v.list !== undefined) return Object.keys(v.list);
    if (v.map !== undefined) return [...v.map.keys()];
    return v.value === undefined ? [] : ['0'];
  }

  values(name: string): string[] {
    const dynamic = this.dynamic.get(name)?.get();
    if (dynamic !== undefined && this.find(name) === undefined) return typeof dynamic === 'string' ? [dynamic] : [...dynamic];
    const v = this.find(name);
    if (v === undefined) return [];
    if (v.list !== undefined) return Object.values(v.list);
    if (v.map !== undefined) return [...v.map.values()];
    return v.value === undefined ? [] : [v.value];
  }

  element(name: string, index: number | string): string | undefined {
    const v = this.find(name);
    if (v?.map !== undefined) return v.map.get(String(index));
    if (v?.list !== undefined) {
      const at = Number(index);
      return v.list[at < 0 ? v.list.length + at : at];
    }
    if (v === undefined) {
      const dynamic = this.dynamic.get(name)?.get();
      if (typeof dynamic === 'string') return Number(index) === 0 ? dynamic : undefined;
      return dynamic?.[Number(index)];
    }
    return Number(index) === 0 || Number(index) === -1 ? v.value : undefined;
  }

  unset(name: string): void {
    const scopes = [...this.#scopes].reverse();
    for (const scope of [...scopes, this.#globals]) {
      const v = scope.get(name);
      if (v === undefined) continue;
      if (v.isReadonly) throw new ReadonlyError(name);
      if (v.isExported) this.#environment = undefined;
      // A local stays local after unset.
      if (scope !== this.#globals && scope === scopes[0]) scope.set(name, newVariable());
      else scope.delete(name);
      break;
    }
    this.dynamic.delete(name);
    this.onChange?.(name);
  }

  unsetElement(name: string, index: number | string): void {
    const v = this.find(name);
    if (v === undefined) return;
    if (v.isReadonly) throw new ReadonlyError(name);
    if (v.map !== undefined) v.map.delete(String(index));
    else if (v.list !== undefined) {
      const at = Number(index) < 0 ? v.list.length + Number(index) : Number(index);
      delete v.list[at];
      if (at === v.list.length - 1) {
        let last = at - 1;
        while (last >= 0 && !(last in v.list)) last--;
        v.list.length = last + 1;
      }
    }
  }

  export(name: string, isExported = true): void {
    this.obtain(name).isExported = isExported;
    this.#environment = undefined;
  }

  forgetEnvironment(): void {
    this.#environment = undefined;
  }

  /** What a child gets. The map is shared: copy before changing it. */
  environment(): ReadonlyMap<string, string> {
    if (this.#environment !== undefined) return this.#environment;
    const out = new Map<string, string>();
    const add = (scope: Scope): void => {
      for (const [name, v] of scope) {
        if (v.isExported && v.value !== undefined) out.set(name, v.value);
        else if (out.has(name)) out.delete(name);
      }
    };
    add(this.#globals);
    for (const scope of this.#scopes) add(scope);
    return (this.#environment = out);
  }
}
