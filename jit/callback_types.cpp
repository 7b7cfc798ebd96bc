// Compares a function's type with what a callback of `config` is called with. The members of cweb.h are declared
// without a prototype, so that this is the only place where a wrong signature is noticed before it is called.
#include "jit/callback_types.h"

#include <array>
#include <span>

namespace cweb::jit {
namespace {

enum class Parameter { context, request, response, socket, text, length };

constexpr std::array handler_parameters{Parameter::request, Parameter::response};
constexpr std::array message_parameters{Parameter::socket, Parameter::text, Parameter::length};
constexpr std::array socket_parameters{Parameter::socket};

std::span<const Parameter> parameters_of(Callback callback) {
  switch (callback) {
    case Callback::handler:
      return handler_parameters;
    case Callback::on_message:
      return message_parameters;
    case Callback::on_open:
    case Callback::on_close:
      return socket_parameters;
    case Callback::load:
      break;
  }
  return {};
}

bool is_pointer_to_record(clang::QualType type, llvm::StringRef name) {
  const auto* pointer = type.getCanonicalType()->getAs<clang::PointerType>();
  if (pointer == nullptr) return false;
  const auto* record = pointer->getPointeeType().getCanonicalType()->getAs<clang::RecordType>();
  return record != nullptr && record->getDecl()->getName() == name;
}

bool matches(clang::QualType type, Parameter parameter, const clang::ASTContext& context) {
  switch (parameter) {
    case Parameter::context:
      return is_pointer_to_record(type, "cweb_context");
    case Parameter::request:
      return is_pointer_to_record(type, "http_request");
    case Parameter::response:
      return is_pointer_to_record(type, "http_response");
    case Parameter::socket:
      return is_pointer_to_record(type, "websocket");
    case Parameter::text: {
      const auto* pointer = type.getCanonicalType()->getAs<clang::PointerType>();
      return pointer != nullptr && context.hasSameUnqualifiedType(pointer->getPointeeType(), context.CharTy);
    }
    case Parameter::length:
      return context.hasSameUnqualifiedType(type, context.getSizeType());
  }
  return false;
}

bool all_match(llvm::ArrayRef<clang::QualType> types, std::span<const Parameter> parameters,
               const clang::ASTContext& context) {
  if (types.size() != parameters.size()) return false;
  for (size_t i = 0; i < types.size(); ++i) {
    if (!matches(types[i], parameters[i], context)) return false;
  }
  return true;
}

}  // namespace

CallShape call_shape(const clang::FunctionDecl& function, Callback callback, const clang::ASTContext& context) {
  const auto* type = function.getType()->castAs<clang::FunctionType>();
  const clang::QualType expected = callback == Callback::handler ? context.IntTy : context.VoidTy;
  if (type->getCallConv() != clang::CC_C ||
      !context.hasSameType(type->getReturnType().getUnqualifiedType(), expected)) {
    return CallShape::absent;
  }
  const auto* prototype = llvm::dyn_cast<clang::FunctionProtoType>(type);
  if (prototype == nullptr) {
    // `void unload() {}` is old C's way to say "no parameters", once its definition shows that there are none.
    const clang::FunctionDecl* definition = function.getDefinition();
    const bool takes_nothing = definition != nullptr && definition->param_empty();
    return callback == Callback::load && takes_nothing ? CallShape::documented : CallShape::absent;
  }
  if (prototype->isVariadic()) return CallShape::absent;
  const llvm::ArrayRef<clang::QualType> types = prototype->getParamTypes();
  if (all_match(types, parameters_of(callback), context)) return CallShape::documented;
  if (!types.empty() && matches(types.front(), Parameter::context, context) &&
      all_match(types.drop_front(), parameters_of(callback), context)) {
    return CallShape::context_first;
  }
  return CallShape::absent;
}

std::string_view accepted_types(Callback callback) {
  switch (callback) {
    case Callback::handler:
      return "'int (struct http_request *, struct http_response *)' or "
             "'int (struct cweb_context *, struct http_request *, struct http_response *)'";
    case Callback::on_open:
    case Callback::on_close:
      return "'void (struct websocket *)' or 'void (struct cweb_context *, struct websocket *)'";
    case Callback::on_message:
      return "'void (struct websocket *, const char *, size_t)' or "
             "'void (struct cweb_context *, struct websocket *, const char *, size_t)'";
    case Callback::load:
      break;
  }
  return "'void (void)' or 'void (struct cweb_context *)'";
}

}  // namespace cweb::jit
