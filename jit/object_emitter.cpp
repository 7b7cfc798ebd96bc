#include "jit/object_emitter.h"

#include <clang/Basic/CodeGenOptions.h>
#include <clang/Basic/TargetOptions.h>
#include <llvm/ADT/StringExtras.h>
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/Instructions.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>

namespace cweb::jit {
namespace {

/// What Clang derives from compiler_arguments, as far as it is not LLVM's default.
llvm::TargetOptions target_options(const clang::CodeGenOptions& options) {
  llvm::TargetOptions target;
  target.ThreadModel = llvm::ThreadModel::POSIX;
  target.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  target.UseInitArray = options.UseInitArray;
  target.EmulatedTLS = options.EmulatedTLS;
  target.DebuggerTuning = options.getDebuggerTuning();
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

}  // namespace

Expected<std::unique_ptr<ObjectEmitter>> ObjectEmitter::create(const clang::CompilerInvocation& invocation,
                                                               const std::vector<std::string>& features) {
  const clang::TargetOptions& wanted = invocation.getTargetOpts();
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(wanted.Triple, error);
  if (target == nullptr) return fail("LLVM has no code generator for this processor: " + error);
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      wanted.Triple, wanted.CPU, llvm::join(features, ","), target_options(invocation.getCodeGenOpts()),
      llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Default));
  if (machine == nullptr) return fail("LLVM cannot generate code for this processor");
  std::unique_ptr<ObjectEmitter> emitter(new ObjectEmitter(invocation.getCodeGenOpts(), std::move(machine)));
  emitter->prepare_next();
  return emitter;
}

void ObjectEmitter::emit(llvm::Module& module, llvm::SmallVectorImpl<char>& object) {
  const bool keeps_passes = !has_assembly(module);
  optimise(module);
  if (code_generation_ == nullptr) code_generation_ = code_generation();
  code_generation_->passes.run(module);
  object.assign(code_generation_->object.begin(), code_generation_->object.end());
  code_generation_->object.clear();
  const bool failed = module.getContext().getDiagHandlerPtr()->HasErrors;
  if (!keeps_passes || failed || object.capacity() > size_t{1} << 20) code_generation_.reset();
}

void ObjectEmitter::prepare_next() {
  if (code_generation_ == nullptr) code_generation_ = code_generation();
}

void ObjectEmitter::optimise(llvm::Module& module) {
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
