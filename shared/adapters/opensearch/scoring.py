"""BM25 whose statistics belong to one scope, in an index that many tenants share (K6, K7).

Lucene counts documents and lengths over a whole shard, so another tenant's writes would move this tenant's scores.
Here the caller counts inside its own scope. A term query can carry one number, its boost, and BM25 wants two: the
inverse document frequency and the average length. Both travel as small floats of 12 bits in the 24 bits that a boost
keeps exactly; the similarity below takes them apart. The error of each is below 0.2 %.
"""

import math
from dataclasses import dataclass
from typing import Final

from shared.retrieval.keywords import K1, B, inverse_document_frequency

SIMILARITY: Final = "scoped_bm25"

_IDF_SHIFT: Final = 16
"""Values from 2^-8 to 2^8; the smallest idf worth counting is far above, the largest below ln(2^63)."""

_LENGTH_SHIFT: Final = 8
"""Values from 1 to 2^16 terms."""

_WHERE_LENGTH_STARTS: Final = 12

SCRIPT: Final = f"""
long packed = (long) query.boost;
double idf = (256 + (packed & 255)) * (double) (1L << ((packed >> 8) & 15)) / {1 << _IDF_SHIFT}.0;
double average = (256 + ((packed >> 12) & 255)) * (double) (1L << ((packed >> 20) & 15)) / {1 << _LENGTH_SHIFT}.0;
return idf * doc.freq / (doc.freq + {K1} * ({1 - B} + {B} * doc.length / average));
"""
"""Painless; falls with the length and rises with the frequency, as Lucene's skipping of documents needs."""


@dataclass(frozen=True, slots=True)
class ScopeCounts:
    """What BM25 must know of one scope. A term that is not in `containing` is in no chunk."""

    chunks: int
    average_length: float
    containing: dict[str, int]

    def boost(self, term: str, times: int) -> int:
        """Return the boost of a query's term that was asked for `times` times."""
        containing = min(self.containing.get(term, 0), self.chunks)
        idf = times * inverse_document_frequency(self.chunks, containing)
        return _small_float(idf, _IDF_SHIFT) | _small_float(self.average_length, _LENGTH_SHIFT) << _WHERE_LENGTH_STARTS


def _small_float(value: float, shift: int) -> int:
    """Return 4 bits of exponent and 8 of mantissa, nearest to `value`; what lies outside is moved to the edge."""
    scaled = value * (1 << shift)
    if scaled < 256:
        return 0
    exponent = math.floor(math.log2(scaled)) - 8
    mantissa = round(scaled / (1 << exponent)) - 256
    if mantissa > 255:
        exponent, mantissa = exponent + 1, 0
    return (15 << 8 | 255) if exponent > 15 else exponent << 8 | mantissa
