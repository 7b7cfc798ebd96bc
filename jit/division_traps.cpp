#include "jit/division_traps.h"

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Intrinsics.h>

#include "runtime/division_trap.h"

namespace cweb::jit {
namespace {

using runtime::first_division_trap;

/// The trap that Clang branches to when the check before a division fails; one for a function. Null: it is no such
/// branch.
llvm::IntrinsicInst* trap_of(const llvm::BranchInst& branch) {
  if (!branch.isConditional()) return nullptr;
  auto* const trap = llvm::dyn_cast<llvm::IntrinsicInst>(&branch.getSuccessor(1)->front());
  return trap != nullptr && trap->getIntrinsicID() == llvm::Intrinsic::ubsantrap ? trap : nullptr;
}

/// Traps that differ are not made one, with one line: LLVM 19 forgets on the way to machine code that they must not be.
/// `number` tells them apart.
llvm::BasicBlock* own_trap(llvm::BranchInst& branch, llvm::IntrinsicInst& shared, unsigned number) {
  constexpr unsigned numbers = 256 - first_division_trap;
  llvm::BasicBlock* const block =
      llvm::BasicBlock::Create(branch.getContext(), "divides.by.zero", branch.getFunction());
  llvm::IRBuilder<> builder(block);
  auto* const trap = llvm::cast<llvm::CallInst>(shared.clone());
  builder.Insert(trap);
  trap->setArgOperand(0, builder.getInt8(static_cast<uint8_t>(first_division_trap + number % numbers)));
  trap->addFnAttr(llvm::Attribute::NoMerge);
  trap->setDebugLoc(branch.getDebugLoc());
  builder.CreateUnreachable()->setDebugLoc(branch.getDebugLoc());
  return block;
}

void keep_if_known(llvm::BranchInst& branch) {
  auto* const check = llvm::dyn_cast<llvm::ICmpInst>(branch.getCondition());
  if (check == nullptr) return;  // a literal: the check is decided
  llvm::IRBuilder<> builder(&branch);
  llvm::Value* const divisor = check->getOperand(0);
  llvm::Value* const is_known = builder.CreateIntrinsic(llvm::Intrinsic::is_constant, {divisor->getType()}, {divisor});
  branch.setCondition(builder.CreateOr(check, builder.CreateNot(is_known)));
}

}  // namespace

void keep_checks_of_known_divisors(llvm::Module& module) {
  for (llvm::Function& function : module) {
    llvm::SmallVector<llvm::BranchInst*> branches;
    for (llvm::BasicBlock& block : function) {
      auto* const branch = llvm::dyn_cast_or_null<llvm::BranchInst>(block.getTerminator());
      if (branch != nullptr && trap_of(*branch) != nullptr) branches.push_back(branch);
    }
    unsigned number = 0;
    for (llvm::BranchInst* const branch : branches) {
      branch->setSuccessor(1, own_trap(*branch, *trap_of(*branch), number++));
      keep_if_known(*branch);
    }
  }
}

}  // namespace cweb::jit
