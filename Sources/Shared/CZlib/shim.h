#include <zlib.h>

/// inflateInit2 is a macro that Swift cannot see; 15 + 32 accepts the headers of gzip and of zlib.
static inline int h2rec_inflate_init(z_stream *stream) { return inflateInit2(stream, 15 + 32); }

/// deflateInit2 is a macro too; 15 + 16 writes a gzip header, with no name and no time.
static inline int h2rec_gzip_init(z_stream *stream) {
  return deflateInit2(stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

/// The same for a raw deflate stream without any header, as it lies in a zip archive.
static inline int h2rec_inflate_init_raw(z_stream *stream) { return inflateInit2(stream, -15); }
