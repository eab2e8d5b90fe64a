// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { ActorCall } from "../../../contracts/fvm/ActorCall.sol";
import { Allocation, DataCapActor } from "../../../contracts/fvm/DataCapActor.sol";
import { FilAddress } from "../../../contracts/fvm/FilAddress.sol";
import { IFilecoinMethod } from "../../../contracts/fvm/Hooks.sol";
import { MarketActor } from "../../../contracts/fvm/MarketActor.sol";
import { MinerActor, SectorStatus } from "../../../contracts/fvm/MinerActor.sol";
import { Claim, VerifregActor } from "../../../contracts/fvm/VerifregActor.sol";

/// @notice Every typed call of contracts/fvm, open to anybody: for tests alone, since whoever calls it acts in its name. It takes
/// DataCap, and plays a client that authorises every deal.
contract ActorHarness is IFilecoinMethod {
    receive() external payable { }

    /// @inheritdoc IFilecoinMethod
    function handle_filecoin_method(uint64 method, uint64, bytes calldata)
        external
        pure
        returns (uint32, uint64, bytes memory)
    {
        if (method == 2_643_134_072) return (0, 0x51, hex"f5");
        return (0, 0, "");
    }

    // ------------------------------------------------------------------- market

    function dealPiece(uint64 id) external view returns (int256, bytes32, uint64) {
        return MarketActor.dealPiece(id);
    }

    function dealClient(uint64 id) external view returns (int256, uint64) {
        return MarketActor.dealClient(id);
    }

    function dealProvider(uint64 id) external view returns (int256, uint64) {
        return MarketActor.dealProvider(id);
    }

    function dealLabel(uint64 id) external view returns (int256, bytes memory, bool) {
        return MarketActor.dealLabel(id);
    }

    function dealTerm(uint64 id) external view returns (int256, int64, int64) {
        return MarketActor.dealTerm(id);
    }

    function dealTotalPrice(uint64 id) external view returns (int256, uint256) {
        return MarketActor.dealTotalPrice(id);
    }

    function dealClientCollateral(uint64 id) external view returns (int256, uint256) {
        return MarketActor.dealClientCollateral(id);
    }

    function dealProviderCollateral(uint64 id) external view returns (int256, uint256) {
        return MarketActor.dealProviderCollateral(id);
    }

    function dealVerified(uint64 id) external view returns (int256, bool) {
        return MarketActor.dealVerified(id);
    }

    function dealActivation(uint64 id) external view returns (int256, int64, int64) {
        return MarketActor.dealActivation(id);
    }

    function dealSector(uint64 id) external view returns (int256, uint64) {
        return MarketActor.dealSector(id);
    }

    // -------------------------------------------------------------------- miner

    function isMiner(uint64 id) external view returns (bool) {
        return MinerActor.isMiner(id);
    }

    function owner(uint64 miner) external view returns (int256, uint64) {
        return MinerActor.owner(miner);
    }

    function isControlling(uint64 miner, address account) external view returns (int256, bool) {
        return MinerActor.isControlling(miner, account);
    }

    function hasStatus(uint64 miner, uint64 sector, SectorStatus status, bytes calldata location)
        external
        view
        returns (int256, bool)
    {
        return MinerActor.hasStatus(miner, sector, status, location);
    }

    function sectorLocation(int64 deadline, int64 partition) external pure returns (bytes memory) {
        return MinerActor.sectorLocation(deadline, partition);
    }

    function sectorExpiration(uint64 miner, uint64 sector) external view returns (int256, int64) {
        return MinerActor.sectorExpiration(miner, sector);
    }

    // ------------------------------------------------------------------ DataCap

    function claim(uint64 provider, uint64 id) external view returns (int256, Claim memory) {
        return VerifregActor.claim(provider, id);
    }

    function extendClaim(uint64 provider, uint64 id, int64 termMax) external returns (int256) {
        return VerifregActor.extendClaim(provider, id, termMax);
    }

    function balance(address account) external view returns (int256, uint256) {
        return DataCapActor.balance(account);
    }

    function marketAllowance(address holder) external view returns (int256, uint256) {
        return DataCapActor.marketAllowance(holder);
    }

    function increaseMarketAllowance(uint256 units) external returns (int256, uint256) {
        return DataCapActor.increaseMarketAllowance(units);
    }

    function decreaseMarketAllowance(uint256 units) external returns (int256, uint256) {
        return DataCapActor.decreaseMarketAllowance(units);
    }

    function allocate(Allocation calldata a) external returns (int256, uint64) {
        return DataCapActor.allocate(a);
    }

    function extend(uint64 provider, uint64 id, uint64 size, int64 termMax) external returns (int256) {
        return DataCapActor.extend(provider, id, size, termMax);
    }

    // ---------------------------------------------------------------- addresses

    function idOf(address account) external view returns (bool, uint64) {
        return FilAddress.idOf(account);
    }

    function normalize(address account) external view returns (address) {
        return FilAddress.normalize(account);
    }

    function resolve(bytes calldata addr) external view returns (bool, uint64) {
        return FilAddress.resolve(addr);
    }

    function ethOf(uint64 id) external view returns (bool, address) {
        return FilAddress.ethOf(id);
    }

    function pay(address to, uint256 value) external returns (int256) {
        return FilAddress.pay(to, value);
    }

    function burn(uint256 value) external returns (int256) {
        return FilAddress.burn(value);
    }

    function sendTo(bytes calldata to, uint256 value) external returns (int256) {
        return ActorCall.send(to, value);
    }

    // ---------------------------------------------------------------------- raw

    /// @notice A call of the precompile with whatever input, by whichever opcode: 0 DELEGATECALL, 1 CALL, 2 STATICCALL.
    function raw(address precompile, uint8 opcode, bytes calldata input) external returns (bool ok, bytes memory out) {
        if (opcode == 0) return precompile.delegatecall(input);
        if (opcode == 1) return precompile.call(input);
        return precompile.staticcall(input);
    }
}
