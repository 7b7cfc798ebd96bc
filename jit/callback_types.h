// The function types that the callbacks of `config` may have.
#pragma once

#include <clang/AST/ASTContext.h>
#include <clang/AST/Decl.h>

#include <string_view>

#include "runtime/code_image.h"

namespace cweb::jit {

enum class Callback { handler, on_open, on_message, on_close, load };

/// How the function takes its parameters; absent when its type is none that this callback may have.
CallShape call_shape(const clang::FunctionDecl& function, Callback callback, const clang::ASTContext& context);

/// The two types that it may have, as Clang would print them: "'void (void)' or 'void (struct cweb_context *)'".
std::string_view accepted_types(Callback callback);

}  // namespace cweb::jit
