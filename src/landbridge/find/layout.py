"""Words typed with the keyboard in another layout: ghbdtn is привет, and руддщ is hello."""

# Key by key: a Latin keyboard (QWERTY, US) and the Russian one (ЙЦУКЕН) that most keyboards of its languages carry.
_LATIN = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
_CYRILLIC = "ёйцукенгшщзхъфывапролджэячсмитьбю"
_TO_CYRILLIC = str.maketrans(_LATIN, _CYRILLIC)
_TO_LATIN = str.maketrans(_CYRILLIC, _LATIN)


def slipped(word: str) -> str:
    """What the keys of a word say in the other layout; "" for a word that was not typed in one of the two."""
    folded = word.lower()
    letters = [c for c in folded if c.isalpha()]
    if len(letters) < 3:
        return ""
    if all(c in _LATIN for c in folded):
        return folded.translate(_TO_CYRILLIC)
    if all(c in _CYRILLIC for c in folded):
        return folded.translate(_TO_LATIN)
    return ""
