"""Who stands above whom in a list still to be written. Pure."""


def circles(superiors):
    """The circles in {code: superior's code or None}, each a list in which every code stands under the next."""
    found, settled = [], set()
    for start in superiors:
        way, at = {}, start
        while at in superiors and at not in settled and at not in way:
            way[at] = len(way)
            at = superiors[at]
        if at in way:
            found.append(list(way)[way[at] :])
        settled |= way.keys()
    return found


def depths(superiors):
    """{code: how many stand above it}; codes in a circle or under one are left out."""
    depth = {}
    broken = set()
    for start in superiors:
        way, at = {}, start
        while at in superiors and at not in depth and at not in broken and at not in way:
            way[at] = None
            at = superiors[at]
        if at in way or at in broken:
            broken |= way.keys()
            continue
        above = depth.get(at, -1)
        for code in reversed(way):
            above += 1
            depth[code] = above
    return depth
