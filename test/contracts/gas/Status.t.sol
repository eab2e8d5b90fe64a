// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { PieceChange, SectorChange } from "../../../contracts/fvm/Hooks.sol";
import { StatusBase } from "../status/StatusBase.sol";

/// @notice What DealStatusOracle costs, without the transaction's base cost. Refreshing includes the stand-ins for actors,
/// which cost other than actors do; telling includes the one question whether the sender is a miner.
contract StatusGasTest is StatusBase {
    function test_Refresh() public {
        uint64 id = _active();
        oracle.refresh(_deal(id), "");
        vm.snapshotGasLastCall("Status", "refresh a deal, the first time, with stand-ins");
        vm.roll(10_001);
        oracle.refresh(_deal(id), "");
        vm.snapshotGasLastCall("Status", "refresh a deal again, with stand-ins");
    }

    function test_Notification() public {
        vm.snapshotValue("Status", "a notification of ten new pieces", _told(0, 10));
        // From here on everything that is the same for all notifications is warm.
        uint256 ten = _told(1, 10);
        uint256 twenty = _told(2, 20);
        uint256 thirty = _told(3, 30);
        assertApproxEqRel(thirty - twenty, twenty - ten, 0.01e18, "as much for every ten pieces more");
    }

    function _told(uint64 sector, uint256 pieces) private returns (uint256 gas) {
        bytes memory params = miner.encodeChanges(_changes(sector, pieces));
        vm.prank(address(miner));
        oracle.handle_filecoin_method(2_034_386_435, 0x51, params);
        return vm.lastCallGas().gasTotalUsed;
    }

    function test_Size() public {
        vm.snapshotValue("Status", "size of DealStatusOracle", address(oracle).code.length);
        assertLe(address(oracle).code.length, 24_576);
    }

    function _changes(uint64 sector, uint256 pieces) private pure returns (SectorChange[] memory changes) {
        changes = new SectorChange[](1);
        changes[0] = SectorChange(sector, int64(END), new PieceChange[](pieces));
        for (uint256 i = 0; i < pieces; ++i) {
            changes[0].added[i] = PieceChange(bytes32((i + 1) << 200), 1 << 20, "12345678");
        }
    }
}
