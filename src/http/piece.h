// Where something lies in a request.
#pragma once

#include <cstdint>

namespace cweb::http {

/// A piece of the request, counted from its first byte: it stays right when the buffer moves.
struct Piece {
  uint32_t offset = 0;
  uint32_t length = 0;
};

struct HeaderPiece {
  Piece name;
  Piece value;
};

}  // namespace cweb::http
