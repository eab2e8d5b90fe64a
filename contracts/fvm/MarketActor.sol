// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { ActorCall } from "./ActorCall.sol";
import { Actors, Exit, Methods } from "./Actors.sol";
import { CborReader, Reader } from "./CborReader.sol";
import { CborWriter } from "./CborWriter.sol";

/// @title MarketActor
/// @notice What f05 says of a deal. Every function gives an exit code first; what follows it is zero unless the code is 0.
/// @dev The codes of f05: 17 where the id was never given out; 32 where the deal is no longer there, having run out, been
/// terminated or never been activated, which it does not say; 33, of `dealSector` alone, where it is not activated yet.
/// f05 forgets a deal when it is settled or terminated, not at its end; and a deal that missed its start can be there for 30
/// days. So compare epochs with `dealTerm` as remembered; presence proves nothing.
library MarketActor {
    using CborReader for Reader;

    /// @notice The piece of a deal, and its padded bytes.
    function dealPiece(uint64 dealId) internal view returns (int256 exit, bytes32 commitment, uint64 paddedSize) {
        Reader memory r;
        (exit, r) = _ask(Methods.GET_DEAL_DATA_COMMITMENT, dealId);
        r.tuple(2);
        commitment = r.pieceCid();
        paddedSize = r.u64();
        if ((exit = ActorCall.checked(exit, r.done())) != Exit.OK) return (exit, 0, 0);
    }

    /// @notice The id of the client's actor.
    function dealClient(uint64 dealId) internal view returns (int256 exit, uint64 actorId) {
        return _number(Methods.GET_DEAL_CLIENT, dealId);
    }

    /// @notice The id of the miner.
    function dealProvider(uint64 dealId) internal view returns (int256 exit, uint64 actorId) {
        return _number(Methods.GET_DEAL_PROVIDER, dealId);
    }

    /// @notice What the client wrote on the deal: at most 256 bytes that nobody checked.
    function dealLabel(uint64 dealId) internal view returns (int256 exit, bytes memory label, bool isText) {
        Reader memory r;
        (exit, r) = _ask(Methods.GET_DEAL_LABEL, dealId);
        (label, isText) = r.label();
        if ((exit = ActorCall.checked(exit, r.done())) != Exit.OK) return (exit, "", false);
    }

    /// @notice When a deal begins, and for how many epochs it lasts: not when it ends.
    function dealTerm(uint64 dealId) internal view returns (int256 exit, int64 start, int64 duration) {
        return _epochs(Methods.GET_DEAL_TERM, dealId);
    }

    /// @notice attoFIL that the client pays for the whole term.
    function dealTotalPrice(uint64 dealId) internal view returns (int256 exit, uint256 price) {
        return _amount(Methods.GET_DEAL_TOTAL_PRICE, dealId);
    }

    /// @notice attoFIL that the client pledged.
    function dealClientCollateral(uint64 dealId) internal view returns (int256 exit, uint256 collateral) {
        return _amount(Methods.GET_DEAL_CLIENT_COLLATERAL, dealId);
    }

    /// @notice attoFIL that the provider pledged.
    function dealProviderCollateral(uint64 dealId) internal view returns (int256 exit, uint256 collateral) {
        return _amount(Methods.GET_DEAL_PROVIDER_COLLATERAL, dealId);
    }

    /// @notice Whether DataCap was spent on a deal.
    function dealVerified(uint64 dealId) internal view returns (int256 exit, bool verified) {
        Reader memory r;
        (exit, r) = _ask(Methods.GET_DEAL_VERIFIED, dealId);
        verified = r.boolean();
        if ((exit = ActorCall.checked(exit, r.done())) != Exit.OK) return (exit, false);
    }

    /// @notice When a deal was activated.
    /// @return exit see above
    /// @return activated epoch at which the deal's sector was proven, or −1
    /// @return terminated −1: a terminated deal is gone (32)
    function dealActivation(uint64 dealId) internal view returns (int256 exit, int64 activated, int64 terminated) {
        return _epochs(Methods.GET_DEAL_ACTIVATION, dealId);
    }

    /// @notice The sector that holds a deal.
    function dealSector(uint64 dealId) internal view returns (int256 exit, uint64 sector) {
        return _number(Methods.GET_DEAL_SECTOR, dealId);
    }

    function _ask(uint64 method, uint64 dealId) private view returns (int256 exit, Reader memory r) {
        bytes memory reply;
        (exit, reply) = ActorCall.read(Actors.MARKET, method, CborWriter.u64(dealId));
        r = CborReader.open(reply);
    }

    function _number(uint64 method, uint64 dealId) private view returns (int256 exit, uint64 value) {
        Reader memory r;
        (exit, r) = _ask(method, dealId);
        value = r.u64();
        if ((exit = ActorCall.checked(exit, r.done())) != Exit.OK) return (exit, 0);
    }

    function _amount(uint64 method, uint64 dealId) private view returns (int256 exit, uint256 value) {
        Reader memory r;
        (exit, r) = _ask(method, dealId);
        value = r.amount();
        if ((exit = ActorCall.checked(exit, r.done())) != Exit.OK) return (exit, 0);
    }

    function _epochs(uint64 method, uint64 dealId) private view returns (int256 exit, int64 first, int64 second) {
        Reader memory r;
        (exit, r) = _ask(method, dealId);
        r.tuple(2);
        first = r.i64();
        second = r.i64();
        if ((exit = ActorCall.checked(exit, r.done())) != Exit.OK) return (exit, 0, 0);
    }
}
