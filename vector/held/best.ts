/** Keeps the places with the largest numbers: a heap with the least of them on top. Of as large ones those that came first stay. */
export type Best = {
  /** What has to be exceeded. */
  least(): number
  add(value: number, place: number): void
  /** The largest first. */
  places(): readonly { readonly place: number; readonly value: number }[]
}

export function createBest(limit: number): Best {
  const values: number[] = []
  const places: number[] = []
  const swap = (a: number, b: number) => {
    ;[values[a], values[b]] = [values[b]!, values[a]!]
    ;[places[a], places[b]] = [places[b]!, places[a]!]
  }
  const rise = (from: number) => {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (values[parent]! <= values[at]!) return
      swap(parent, at)
      at = parent
    }
  }
  const sink = () => {
    let at = 0
    for (;;) {
      let least = at
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < values.length && values[child]! < values[least]!) least = child
      if (least === at) return
      swap(least, at)
      at = least
    }
  }
  const least = () =>
    values.length < limit ? Number.NEGATIVE_INFINITY : (values[0] ?? Number.POSITIVE_INFINITY)

  return {
    least,
    add(value, place) {
      if (value <= least()) return
      if (values.length < limit) {
        values.push(value)
        places.push(place)
        rise(values.length - 1)
        return
      }
      values[0] = value
      places[0] = place
      sink()
    },
    places: () =>
      places
        .map((place, at) => ({ place, value: values[at]! }))
        .sort((a, b) => b.value - a.value || a.place - b.place),
  }
}
