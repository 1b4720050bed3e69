#include <zlib.h>

/// inflateInit2 is a macro that Swift cannot see; 15 + 32 accepts the headers of gzip and of zlib.
static inline int h2rec_inflate_init(z_stream *stream) { return inflateInit2(stream, 15 + 32); }
