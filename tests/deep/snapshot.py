# SPDX-License-Identifier: MIT
"""A site that is put back to what it was, at the same paths, in milliseconds."""
from broken import relative
from disk import Place, state_of
from tap import Site


class Snapshot:
    """TOP in the words of a setup is the site's directory."""

    def __init__(self, setup=()):
        self.site = Site(argon2_kib=8).joe()  # how dear changes nothing here
        for words in setup:
            self.site.do(*(w.replace("TOP", self.site.top) for w in words))
        self.untouched = relative(self.site)
        self.take()

    def take(self):
        """What it is now is what it is put back to."""
        self.saved = state_of(self.site.top)

    def restore(self):
        place = Place(self.site.top)
        place.now = state_of(self.site.top)
        place.become(self.saved)
        return self.site

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.site.__exit__(*exception)
