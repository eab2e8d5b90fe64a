// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { InclusionVerifier } from "../../../contracts/fvm/InclusionVerifier.sol";
import { PieceCid } from "../../../contracts/fvm/PieceCid.sol";
import { Podsi } from "../../../contracts/fvm/Podsi.sol";
import {
    InclusionAuxData,
    InclusionProof,
    InclusionVerifierData,
    ProofData
} from "../../../contracts/interfaces/IInclusionVerifier.sol";
import { Vectors } from "./Vectors.sol";

contract PodsiTest is Vectors {
    InclusionVerifier private verifier = new InclusionVerifier();

    function compute(InclusionProof calldata proof, bytes32 commPc, uint64 sizePc)
        external
        view
        returns (bytes32 commPa, uint64 sizePa, uint64 offset)
    {
        return Podsi.compute(proof, commPc, sizePc);
    }

    // --------------------------------------------------------- of the reference

    function test_ProofsOfTheReference() public view {
        Inclusion[] memory list = _inclusions(".cases");
        for (uint256 i = 0; i < list.length; ++i) {
            Inclusion memory v = list[i];
            (bytes32 commPa, uint64 sizePa, uint64 offset) = this.compute(_proof(v), v.commPc, v.sizePc);
            assertEq(commPa, v.commPa, v.name);
            assertEq(sizePa, v.sizePa, v.name);
            assertEq(offset, v.offset, v.name);

            InclusionVerifierData memory piece = InclusionVerifierData(PieceCid.v1(v.commPc), v.sizePc);
            InclusionAuxData memory aux = verifier.computeExpectedAuxData(_proof(v), piece);
            assertEq(aux.commPa, PieceCid.v1(v.commPa), v.name);
            assertEq(aux.sizePa, v.sizePa, v.name);
            assertEq(verifier.requireIncluded(_proof(v), piece, aux), v.offset, v.name);
        }
    }

    function test_TakesPieceCidsV2() public {
        Inclusion memory v = _inclusions(".cases")[3];
        InclusionVerifierData memory piece =
            InclusionVerifierData(PieceCid.v2(v.commPc, v.sizePc / 128 * 127), v.sizePc);
        InclusionAuxData memory aux = InclusionAuxData(PieceCid.v2(v.commPa, v.sizePa / 128 * 127), v.sizePa);
        assertEq(verifier.requireIncluded(_proof(v), piece, aux), v.offset);

        piece.commPc = PieceCid.v2(v.commPc, v.sizePc);
        vm.expectRevert(
            abi.encodeWithSelector(InclusionVerifier.InclusionVerifier_SizeMismatch.selector, v.sizePc * 2, v.sizePc)
        );
        verifier.requireIncluded(_proof(v), piece, aux);
    }

    function test_RevertWhen_TheAggregateIsAnother() public {
        Inclusion memory v = _inclusions(".cases")[3];
        InclusionVerifierData memory piece = InclusionVerifierData(PieceCid.v1(v.commPc), v.sizePc);
        bytes memory error_ = abi.encodeWithSelector(Podsi.Podsi_OtherAggregate.selector, v.commPa, v.sizePa);
        vm.expectRevert(error_);
        verifier.requireIncluded(_proof(v), piece, InclusionAuxData(PieceCid.v1(v.commPc), v.sizePa));
        vm.expectRevert(error_);
        verifier.requireIncluded(_proof(v), piece, InclusionAuxData(PieceCid.v1(v.commPa), v.sizePa * 2));
    }

    function test_RevertWhen_TheReferenceRefuses() public {
        Inclusion[] memory list = _inclusions(".refused");
        assertEq(list.length, 3);
        for (uint256 i = 0; i < list.length; ++i) {
            Inclusion memory v = list[i];
            if (i == 0) {
                uint256 start = Podsi.indexStart(v.sizePa);
                vm.expectRevert(abi.encodeWithSelector(Podsi.Podsi_OutsideIndex.selector, v.indexIndex * 64, start));
            } else {
                vm.expectPartialRevert(Podsi.Podsi_RootsDiffer.selector);
            }
            this.compute(_proof(v), v.commPc, v.sizePc);
        }
    }

    // --------------------------------------------------------------- tampering

    function test_EveryFlippedBitIsRefused() public view {
        Inclusion[] memory list = _inclusions(".cases");
        // The smallest tree, and one of the middle: 14 and 29 nodes.
        _flipAll(list[0]);
        _flipAll(list[5]);
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_AFlippedBitIsRefused(uint256 which, uint256 bit) public view {
        Inclusion[] memory list = _inclusions(".cases");
        Inclusion memory v = list[which % list.length];
        uint256 bits = 256 * (v.subtreePath.length + v.indexPath.length + 1) + 128;
        _flip(v, bit % bits);
        _refused(v, "a bit");
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_AnotherSizeIsRefused(uint256 which, uint64 size) public view {
        Inclusion[] memory list = _inclusions(".cases");
        Inclusion memory v = list[which % list.length];
        if (size % 2 == 0) size = uint64(1) << (size / 2 % 64);
        if (size == v.sizePc) return;
        v.sizePc = size;
        _refused(v, "size");
    }

    function test_PathsOfOtherLengthsAreRefused() public view {
        Inclusion[] memory list = _inclusions(".cases");
        for (uint256 i = 0; i < list.length; ++i) {
            for (uint256 kind = 1; kind < 9; ++kind) {
                Inclusion memory v = _copy(list[i]);
                v.subtreePath = _resized(v.subtreePath, kind % 3);
                v.indexPath = _resized(v.indexPath, kind / 3);
                _refused(v, string.concat(v.name, ": length ", vm.toString(kind)));
            }
        }
    }

    function test_RevertWhen_ThePathIsTooLong() public {
        Inclusion memory v = _inclusions(".cases")[0];
        v.subtreePath = new bytes32[](58);
        vm.expectRevert(abi.encodeWithSelector(Podsi.Podsi_PathTooLong.selector, 58, 57));
        this.compute(_proof(v), v.commPc, v.sizePc);
        v.subtreePath = new bytes32[](2);
        v.indexPath = new bytes32[](58);
        vm.expectRevert(abi.encodeWithSelector(Podsi.Podsi_PathTooLong.selector, 58, 57));
        this.compute(_proof(v), v.commPc, v.sizePc);
    }

    function test_RevertWhen_TheIndexIsOutOfRange() public {
        Inclusion memory v = _inclusions(".cases")[0];
        v.subtreeIndex = 4;
        vm.expectRevert(abi.encodeWithSelector(Podsi.Podsi_IndexOutOfRange.selector, 4, 2));
        this.compute(_proof(v), v.commPc, v.sizePc);
        v.subtreeIndex = 0;
        v.indexIndex = 8;
        vm.expectRevert(abi.encodeWithSelector(Podsi.Podsi_IndexOutOfRange.selector, 8, 3));
        this.compute(_proof(v), v.commPc, v.sizePc);
    }

    function test_RevertWhen_TheSizeIsBad() public {
        Inclusion memory v = _inclusions(".cases")[0];
        uint64[4] memory sizes = [uint64(0), 64, 129, type(uint64).max];
        for (uint256 i = 0; i < sizes.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Podsi.Podsi_BadSize.selector, sizes[i]));
            this.compute(_proof(v), v.commPc, sizes[i]);
        }
        vm.expectRevert(abi.encodeWithSelector(Podsi.Podsi_BadCommitment.selector, v.commPc | bytes32(uint256(0x40))));
        this.compute(_proof(v), v.commPc | bytes32(uint256(0x40)), v.sizePc);
        // 128 bytes have no room for an index of four entries.
        v.subtreePath = new bytes32[](0);
        v.indexPath = new bytes32[](1);
        v.indexIndex = 0;
        vm.expectRevert(abi.encodeWithSelector(Podsi.Podsi_BadSize.selector, 128));
        this.compute(_proof(v), v.commPc, v.sizePc);
    }

    // ------------------------------------------------------------ made here

    /// @dev Two paths that meet: whatever hangs below the node where the way to the piece and the way to its entry part.
    function testFuzz_AnyPlaceInAnyAggregate(bytes32 commPc, uint64 sizeLog, uint64 depth, uint64 at, uint64 entry)
        public
    {
        commPc &= ~bytes32(uint256(0xc0));
        sizeLog = uint64(bound(sizeLog, 7, 40));
        depth = uint64(bound(depth, 2, 63 - sizeLog));
        uint64 size = uint64(1) << sizeLog;
        uint64 total = size << depth;
        if (total < 512) return;
        uint64 start = uint64(Podsi.indexStart(total));
        // The piece in the first half, the index in the second.
        at = uint64(bound(at, 0, (uint64(1) << (depth - 1)) - 1));
        entry = uint64(bound(entry, start / 64, total / 64 - 1));
        Inclusion memory v = _meet(commPc, size, depth, at, entry);
        (bytes32 root, uint64 sizePa, uint64 offset) = this.compute(_proof(v), commPc, size);
        assertEq(root, v.commPa);
        assertEq(sizePa, total);
        assertEq(offset, at * size);
        if (start / 64 <= total / 128) return;
        v = _meet(commPc, size, depth, at, start / 64 - 1);
        vm.expectRevert(abi.encodeWithSelector(Podsi.Podsi_OutsideIndex.selector, start - 64, start));
        this.compute(_proof(v), commPc, size);
    }

    function _meet(bytes32 commPc, uint64 size, uint64 depth, uint64 at, uint64 entry)
        private
        view
        returns (Inclusion memory v)
    {
        uint256 sizeLog = 0;
        while (uint256(1) << sizeLog < size) ++sizeLog;
        v.commPc = commPc;
        v.sizePc = size;
        v.subtreeIndex = at;
        v.indexIndex = entry;
        v.subtreePath = _noise(depth);
        v.indexPath = _noise(sizeLog + depth - 6);
        bytes32 left = _climb(commPc, at, v.subtreePath);
        bytes32 right = _climb(Podsi.entryNode(commPc, at * size, size), entry, v.indexPath);
        v.subtreePath[v.subtreePath.length - 1] = right;
        v.indexPath[v.indexPath.length - 1] = left;
        v.commPa = _node(left, right);
    }

    /// @dev The node below the root, by another way than the library's.
    function _climb(bytes32 node, uint256 index, bytes32[] memory path) private pure returns (bytes32) {
        for (uint256 i = 0; i + 1 < path.length; ++i) {
            node = index % 2 == 0 ? _node(node, path[i]) : _node(path[i], node);
            index /= 2;
        }
        return node;
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(left, right)) & ~bytes32(uint256(0xc0));
    }

    function _noise(uint256 length) private pure returns (bytes32[] memory list) {
        list = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            list[i] = keccak256(abi.encode(length, i)) & ~bytes32(uint256(0xc0));
        }
    }

    // ------------------------------------------------------------------ inside

    function _flipAll(Inclusion memory v) private view {
        uint256 bits = 256 * (v.subtreePath.length + v.indexPath.length + 1) + 128;
        for (uint256 i = 0; i < bits; ++i) {
            _flip(v, i);
            _refused(v, vm.toString(i));
            _flip(v, i);
        }
    }

    /// @dev Bits in order: both indices, the commitment, both paths.
    function _flip(Inclusion memory v, uint256 bit) private pure {
        bytes32 mask = bytes32(uint256(1) << bit % 256);
        uint256 word = bit / 256;
        if (bit < 64) {
            v.subtreeIndex ^= uint64(1) << uint64(bit);
        } else if (bit < 128) {
            v.indexIndex ^= uint64(1) << uint64(bit - 64);
        } else {
            bit -= 128;
            (mask, word) = (bytes32(uint256(1) << bit % 256), bit / 256);
            if (word == 0) v.commPc ^= mask;
            else if (word <= v.subtreePath.length) v.subtreePath[word - 1] ^= mask;
            else v.indexPath[word - 1 - v.subtreePath.length] ^= mask;
        }
    }

    /// @dev Refused is: reverts. Nothing but the untouched proof may come through, for whatever aggregate.
    function _refused(Inclusion memory v, string memory what) private view {
        try this.compute(_proof(v), v.commPc, v.sizePc) {
            revert(string.concat("taken: ", what));
        } catch (bytes memory reason) {
            // One of the library's own errors, not a panic.
            assertGt(reason.length, 4, what);
            assertTrue(bytes4(reason) != 0x4e487b71, what);
        }
    }

    /// @dev 0 as it is, 1 without its last node, 2 with one more.
    function _resized(bytes32[] memory path, uint256 how) private pure returns (bytes32[] memory list) {
        list = new bytes32[](how == 0 ? path.length : how == 1 ? path.length - 1 : path.length + 1);
        for (uint256 i = 0; i < list.length && i < path.length; ++i) {
            list[i] = path[i];
        }
    }

    function _copy(Inclusion memory v) private pure returns (Inclusion memory) {
        return abi.decode(abi.encode(v), (Inclusion));
    }
}
