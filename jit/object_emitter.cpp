#include "jit/object_emitter.h"

#include <clang/Basic/CodeGenOptions.h>
#include <clang/Basic/TargetOptions.h>
#include <llvm/ADT/StringExtras.h>
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/ReplaceConstant.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>

#include "jit/division_traps.h"

namespace cweb::jit {
namespace {

constexpr int most_modules_for_a_target = 1000;

/// What Clang derives from compiler_arguments, as far as it is not LLVM's default.
llvm::TargetOptions target_options(const clang::CodeGenOptions& options) {
  llvm::TargetOptions target;
  target.ThreadModel = llvm::ThreadModel::POSIX;
  target.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  target.UseInitArray = options.UseInitArray;
  target.EmulatedTLS = options.EmulatedTLS;
  target.DebuggerTuning = options.getDebuggerTuning();
  target.TrapUnreachable = true;
  target.NoTrapAfterNoreturn = true;
  target.FunctionSections = options.FunctionSections;
  target.DataSections = options.DataSections;
  target.UniqueSectionNames = options.UniqueSectionNames;
  target.XRayFunctionIndex = options.XRayFunctionIndex;
  target.MCOptions.EmitDwarfUnwind = options.getEmitDwarfUnwind();
  target.MCOptions.MCUseDwarfDirectory = llvm::MCTargetOptions::DefaultDwarfDirectory;
  target.MCOptions.MCNoExecStack = options.NoExecStack;
  target.MCOptions.X86RelaxRelocations = options.RelaxELFRelocations;
  return target;
}

/// Assembly text can change the assembler's own state, which outlives the module (.altmacro, .code32).
bool has_assembly(const llvm::Module& module) {
  if (!module.getModuleInlineAsm().empty()) return true;
  for (const llvm::Function& function : module) {
    for (const llvm::BasicBlock& block : function) {
      for (const llvm::Instruction& instruction : block) {
        const auto* call = llvm::dyn_cast<llvm::CallBase>(&instruction);
        if (call != nullptr && call->isInlineAsm()) return true;
      }
    }
  }
  return false;
}

/// Which stream `stdout` is depends on the call that runs, and an address cannot: each use in code asks the host for
/// it. What is initialised with the address of the variable keeps that.
void ask_for_stream(llvm::Module& module, llvm::StringRef name, llvm::StringRef asking) {
  llvm::GlobalVariable* const variable = module.getNamedGlobal(name);
  if (variable == nullptr || !variable->isDeclaration()) return;
  llvm::convertUsersOfConstantsToInstructions({variable});
  llvm::SmallVector<llvm::Use*> uses;
  for (llvm::Use& use : variable->uses()) {
    if (llvm::isa<llvm::Instruction>(use.getUser())) uses.push_back(&use);
  }
  if (uses.empty()) return;
  const llvm::FunctionCallee function =
      module.getOrInsertFunction(asking, llvm::FunctionType::get(variable->getType(), /*isVarArg=*/false));
  for (llvm::Use* const use : uses) {
    auto* const user = llvm::cast<llvm::Instruction>(use->getUser());
    const auto* const phi = llvm::dyn_cast<llvm::PHINode>(user);
    llvm::Instruction* const before = phi == nullptr ? user : phi->getIncomingBlock(*use)->getTerminator();
    llvm::CallInst* const call = llvm::CallInst::Create(function, "", before->getIterator());
    call->setDebugLoc(user->getDebugLoc());
    use->set(call);
  }
}

/// `return strlen(text);` as a jump would leave no frame of the module on the stack, and a fault in there could not be
/// told the line of. Calls within the module may be jumps: where they go there is a frame.
void call_others_from_a_frame(llvm::Module& module) {
  for (llvm::Function& function : module) {
    for (llvm::BasicBlock& block : function) {
      for (llvm::Instruction& instruction : block) {
        auto* const call = llvm::dyn_cast<llvm::CallInst>(&instruction);
        if (call == nullptr || call->isMustTailCall()) continue;
        const llvm::Function* const callee = call->getCalledFunction();
        if (callee == nullptr || callee->isDeclaration()) call->setTailCallKind(llvm::CallInst::TCK_NoTail);
      }
    }
  }
}

}  // namespace

Expected<std::unique_ptr<ObjectEmitter>> ObjectEmitter::create(const clang::CompilerInvocation& invocation,
                                                               const std::vector<std::string>& features) {
  const clang::TargetOptions& wanted = invocation.getTargetOpts();
  std::unique_ptr<ObjectEmitter> emitter(new ObjectEmitter(invocation.getCodeGenOpts()));
  std::string error;
  emitter->maker_ = llvm::TargetRegistry::lookupTarget(wanted.Triple, error);
  if (emitter->maker_ == nullptr) return fail("LLVM has no code generator for this processor: " + error);
  emitter->triple_ = wanted.Triple;
  emitter->processor_ = wanted.CPU;
  emitter->features_ = llvm::join(features, ",");
  emitter->prepare_next();
  return emitter;
}

void ObjectEmitter::emit(llvm::Module& module, llvm::SmallVectorImpl<char>& object) {
  const bool keeps_passes = !has_assembly(module);
  // The target notes what must not be dropped (`retain`), by address and for good.
  const bool keeps_target = module.getNamedGlobal("llvm.used") == nullptr;
  prepare_next();
  ask_for_stream(module, "stdout", "__cweb_stdout");
  ask_for_stream(module, "stderr", "__cweb_stderr");
  optimise(module);
  call_others_from_a_frame(module);
  code_generation_->passes.run(module);
  object.assign(code_generation_->object.begin(), code_generation_->object.end());
  code_generation_->object.clear();
  const bool failed = module.getContext().getDiagHandlerPtr()->HasErrors;
  if (!keeps_passes || failed || object.capacity() > size_t{1} << 20) code_generation_.reset();
  // It also keeps what it knows of each processor that a function asks for with __attribute__((target(...))).
  if (!keeps_target || ++modules_since_target_ >= most_modules_for_a_target) {
    code_generation_.reset();
    target_.reset();
  }
}

void ObjectEmitter::prepare_next() {
  if (target_ == nullptr) make_target();
  if (code_generation_ == nullptr) code_generation_ = code_generation();
}

void ObjectEmitter::make_target() {
  target_.reset(maker_->createTargetMachine(triple_, processor_, features_, target_options(options_), llvm::Reloc::PIC_,
                                            std::nullopt, llvm::CodeGenOptLevel::Default));
  CWEB_ASSERT(target_ != nullptr);
  modules_since_target_ = 0;
}

void ObjectEmitter::optimise(llvm::Module& module) {
  keep_checks_of_known_divisors(module);
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = options_.UnrollLoops;
  tuning.LoopInterleaving = options_.UnrollLoops;
  tuning.LoopVectorization = options_.VectorizeLoop;
  tuning.SLPVectorization = options_.VectorizeSLP;
  llvm::PassBuilder builder(target_.get(), tuning);

  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

std::unique_ptr<ObjectEmitter::CodeGeneration> ObjectEmitter::code_generation() const {
  auto generation = std::make_unique<CodeGeneration>();
  llvm::legacy::PassManager& passes = generation->passes;
  passes.add(llvm::createTargetTransformInfoWrapperPass(target_->getTargetIRAnalysis()));
  passes.add(new llvm::TargetLibraryInfoWrapperPass(target_->getTargetTriple()));
  const bool impossible = target_->addPassesToEmitFile(passes, generation->stream, nullptr,
                                                       llvm::CodeGenFileType::ObjectFile, /*DisableVerify=*/true);
  CWEB_ASSERT(!impossible);
  return generation;
}

}  // namespace cweb::jit
