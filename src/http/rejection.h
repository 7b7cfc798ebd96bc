// Why a request is refused: what the answer says before the connection ends.
#pragma once

namespace cweb::http {

struct Rejection {
  int status = 400;
  const char* sentence = "";  ///< static text
};

}  // namespace cweb::http
