#include "cli/version.h"

#include <openssl/crypto.h>

namespace cweb::cli {

std::string version_text(const CompilerFacts& compiler) {
  return std::string("cweb " CWEB_VERSION "\n") + "LLVM " + compiler.llvm + "\nOpenSSL " +
         OpenSSL_version(OPENSSL_VERSION_STRING) + "\nmodules are compiled for " + compiler.processor + "\n";
}

}  // namespace cweb::cli
