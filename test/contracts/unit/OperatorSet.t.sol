// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IEstuaryProvider, Price, ProviderConfig } from "../../../contracts/interfaces/IEstuaryProvider.sol";
import { IExecutionProvider, Report } from "../../../contracts/interfaces/IExecutionProvider.sol";
import { IOperatorSet } from "../../../contracts/interfaces/IOperatorSet.sol";
import { EstuaryProvider } from "../../../contracts/oracle/EstuaryProvider.sol";
import { Base } from "../Base.t.sol";
import { Pen } from "../Pen.sol";
import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";

contract OperatorSetTest is Base {
    function test_Constructor_FirstConfigurationIsInForce() public {
        address at = vm.computeCreateAddress(address(factory), vm.getNonce(address(factory)));
        address[] memory first = _operators(0, 3);
        bytes32 digest = keccak256(abi.encode(block.chainid, at, uint32(1), first, uint8(2)));
        vm.expectEmit(at);
        emit IOperatorSet.OperatorsProposed(digest, 0, first, 2, uint40(block.timestamp));
        vm.expectEmit(at);
        emit IOperatorSet.OperatorsActivated(digest, 1, 0, 0);
        EstuaryProvider made = factory.provider(_config(), owner, first, 2, CAP);
        assertEq(made.configDigest(), digest);
        assertEq(made.operators(), first);
        assertEq(made.threshold(), 2);
        assertEq(made.signsUntil(digest), type(uint40).max);
    }

    function test_Propose_RevertWhen_NotOwner() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, alice));
        vm.prank(alice);
        provider.proposeOperators(_operators(0, 1), 1);
    }

    function test_Propose_RevertWhen_ThresholdBad() public {
        _expectBad(abi.encodeWithSelector(IOperatorSet.OperatorSet_BadThreshold.selector, 0, 2), _operators(0, 2), 0);
        _expectBad(abi.encodeWithSelector(IOperatorSet.OperatorSet_BadThreshold.selector, 3, 2), _operators(0, 2), 3);
        _expectBad(abi.encodeWithSelector(IOperatorSet.OperatorSet_BadThreshold.selector, 1, 0), _operators(0, 0), 1);
    }

    function test_Propose_RevertWhen_TooMany() public {
        bytes memory err = abi.encodeWithSelector(IOperatorSet.OperatorSet_TooManyOperators.selector, 65, 64);
        _expectBad(err, new address[](65), 1);
    }

    function test_Propose_RevertWhen_ZeroUnsortedOrTwice() public {
        address[] memory list = _operators(0, 2);
        (list[0], list[1]) = (list[1], list[0]);
        _expectBad(abi.encodeWithSelector(IOperatorSet.OperatorSet_OperatorsUnsorted.selector), list, 1);
        list[0] = list[1];
        _expectBad(abi.encodeWithSelector(IOperatorSet.OperatorSet_OperatorsUnsorted.selector), list, 1);
        list[0] = address(0);
        _expectBad(abi.encodeWithSelector(IOperatorSet.OperatorSet_ZeroOperator.selector), list, 1);
    }

    function test_Propose_PutsNothingInForce() public {
        bytes32 before = provider.configDigest();
        bytes32 digest = _propose(2, 2, 1);
        assertEq(digest, keccak256(abi.encode(block.chainid, address(provider), uint32(2), _operators(2, 2), uint8(1))));
        assertEq(provider.configDigest(), before);
        (bytes32 proposed, address[] memory list, uint8 k, uint40 activeAt) = provider.proposedOperators();
        assertEq(proposed, digest);
        assertEq(list, _operators(2, 2));
        assertEq(k, 1);
        assertEq(activeAt, block.timestamp + 2 days);
        assertEq(provider.signsUntil(digest), 0);
    }

    function test_Activate_RevertWhen_NothingProposed() public {
        vm.expectRevert(IOperatorSet.OperatorSet_NothingProposed.selector);
        provider.activateOperators();
        _rotate(1, 1, 1);
        vm.expectRevert(IOperatorSet.OperatorSet_NothingProposed.selector);
        provider.activateOperators();
    }

    function test_Activate_RevertWhen_TooEarly() public {
        _propose(1, 1, 1);
        uint40 activeAt = uint40(block.timestamp) + 2 days;
        skip(2 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IOperatorSet.OperatorSet_TooEarly.selector, activeAt));
        provider.activateOperators();
    }

    function test_Activate_PutsInForceByAnyone() public {
        bytes32 before = provider.configDigest();
        bytes32 digest = _propose(1, 3, 2);
        skip(2 days);
        uint64 seq = provider.nextSeq();
        vm.expectEmit(address(provider));
        emit IOperatorSet.OperatorsActivated(digest, seq, before, uint40(block.timestamp) + 1 days);
        vm.prank(bob);
        provider.activateOperators();
        assertEq(provider.configDigest(), digest);
        assertEq(provider.operators(), _operators(1, 3));
        assertEq(provider.threshold(), 2);
        assertEq(provider.signsUntil(before), block.timestamp + 1 days);
        (bytes32 none,,,) = provider.proposedOperators();
        assertEq(none, 0);
    }

    // ---------------------------------------------------------------- signing

    function test_Signing_ProposedOperatorsMayNotYet() public {
        bytes32 digest = _propose(1, 1, 1);
        Report[] memory reports = _reports();
        _expectUnknown(digest, reports, _keys(1, 1));
    }

    function test_Signing_NewOperatorsMayAfterActivation() public {
        bytes32 digest = _rotate(1, 3, 2);
        Report[] memory reports = _reports();
        assertEq(_submit(digest, reports, _keys(1, 2)), 1);
    }

    function test_Signing_OldOperatorsMayInsideTheDrainWindow() public {
        provider = _deployProvider(2, 2);
        bytes32 old = provider.configDigest();
        bytes32 digest = _rotate(2, 1, 1);
        Report[] memory reports = _reports();
        skip(1 days);
        _expectCount(old, reports, _keys(0, 1), 2);
        _expectCount(digest, reports, _keys(0, 2), 1);
        assertEq(_submit(old, reports, _keys(0, 2)), 1);
    }

    function test_Signing_OldOperatorsMayNotAfterTheDrainWindow() public {
        bytes32 old = provider.configDigest();
        _rotate(1, 1, 1);
        skip(1 days + 1);
        Report[] memory reports = _reports();
        _expectUnknown(old, reports, _keys(0, 1));
    }

    function test_Signing_NeverTheOnesBeforeThose() public {
        bytes32 oldest = provider.configDigest();
        _rotate(1, 1, 1);
        _rotate(2, 1, 1);
        Report[] memory reports = _reports();
        _expectUnknown(oldest, reports, _keys(0, 1));
    }

    function test_Signing_NeverAReplacedProposal() public {
        bytes32 replaced = _propose(1, 1, 1);
        bytes32 digest = _rotate(1, 1, 1);
        assertNotEq(replaced, digest, "same operators, another number");
        Report[] memory reports = _reports();
        _expectUnknown(replaced, reports, _keys(1, 1));
        assertEq(_submit(digest, reports, _keys(1, 1)), 1);
    }

    // ------------------------------------------------------- owner and tariff

    function test_Owner_RevertWhen_SomebodyElse() public {
        bytes memory err = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, alice);
        vm.startPrank(alice);
        vm.expectRevert(err);
        provider.setPrice(1, _price());
        vm.expectRevert(err);
        provider.setGasPriceCap(1);
        vm.expectRevert(err);
        provider.setIntakePaused(true);
    }

    function test_Owner_Bounds() public {
        Price memory price = _price();
        price.attemptBps = 1001;
        vm.startPrank(owner);
        vm.expectRevert(IEstuaryProvider.EstuaryProvider_PriceOutOfRange.selector);
        provider.setPrice(1, price);
        bytes4 selector = IEstuaryProvider.EstuaryProvider_GasPriceCapOutOfRange.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 0, 10_000 gwei));
        provider.setGasPriceCap(0);
        vm.expectRevert(abi.encodeWithSelector(selector, 10_000 gwei + 1, 10_000 gwei));
        provider.setGasPriceCap(10_000 gwei + 1);
    }

    function test_Owner_ChangesAreSeen() public {
        Price memory price = Price(1, 2, 3, 4, true);
        uint64 seq = provider.nextSeq();
        vm.startPrank(owner);
        vm.expectEmit(address(provider));
        emit IEstuaryProvider.PriceChanged(7, seq, price);
        provider.setPrice(7, price);
        vm.expectEmit(address(provider));
        emit IEstuaryProvider.GasPriceCapChanged(seq + 1, 5 gwei);
        provider.setGasPriceCap(5 gwei);
        vm.expectEmit(address(provider));
        emit IEstuaryProvider.IntakePausedChanged(seq + 2, true);
        provider.setIntakePaused(true);
        assertEq(abi.encode(provider.priceOf(7)), abi.encode(price));
        assertEq(provider.gasPriceCap(), 5 gwei);
        assertTrue(provider.intakePaused());
        assertEq(provider.nextSeq(), seq + 3);
        assertEq(provider.threshold(), 1, "the rest of the word is as it was");
        assertEq(provider.operators(), _operators(0, 1));
    }

    function test_Constructor_RevertWhen_ConfigOutOfRange() public {
        ProviderConfig memory c = _config();
        assertEq(abi.encode(provider.config()), abi.encode(c));
        c.minDeadline = 0;
        _expectConfig("minDeadline", c);
        c = _config();
        c.maxDeadline = c.minDeadline - 1;
        _expectConfig("maxDeadline", c);
        c = _config();
        c.cancelDelay = 0;
        _expectConfig("cancelDelay", c);
        c = _config();
        c.minAttempt = c.minDeadline + 1;
        _expectConfig("minAttempt", c);
        c = _config();
        c.activationDelay = 61 days;
        _expectConfig("activationDelay", c);
        c = _config();
        c.drainWindow = 61 days;
        _expectConfig("drainWindow", c);
        c = _config();
        c.maxCallbackGas = 0;
        _expectConfig("maxCallbackGas", c);
        c = _config();
        c.callOverhead = 0;
        _expectConfig("callOverhead", c);
    }

    // ----------------------------------------------------------------- helpers

    function _propose(uint256 from, uint256 n, uint8 k) private returns (bytes32) {
        vm.prank(owner);
        return provider.proposeOperators(_operators(from, n), k);
    }

    function _rotate(uint256 from, uint256 n, uint8 k) private returns (bytes32 digest) {
        digest = _propose(from, n, k);
        skip(2 days);
        provider.activateOperators();
    }

    function _reports() private returns (Report[] memory) {
        return _one(_success(_askDirect(alice, 0, ""), ""));
    }

    function _submit(bytes32 digest, Report[] memory reports, uint256[] memory by) private returns (uint256) {
        return provider.fulfill(digest, reports, Pen.sign(address(provider), digest, reports, by));
    }

    function _expectBad(bytes memory err, address[] memory list, uint8 k) private {
        vm.expectRevert(err);
        vm.prank(owner);
        provider.proposeOperators(list, k);
    }

    function _expectUnknown(bytes32 digest, Report[] memory reports, uint256[] memory by) private {
        bytes[] memory signatures = Pen.sign(address(provider), digest, reports, by);
        vm.expectRevert(abi.encodeWithSelector(IOperatorSet.OperatorSet_UnknownConfig.selector, digest));
        provider.fulfill(digest, reports, signatures);
    }

    function _expectCount(bytes32 digest, Report[] memory reports, uint256[] memory by, uint256 k) private {
        bytes[] memory signatures = Pen.sign(address(provider), digest, reports, by);
        if (k < by.length) {
            vm.expectPartialRevert(IOperatorSet.OperatorSet_NotAnOperator.selector);
        } else {
            vm.expectRevert(abi.encodeWithSelector(IOperatorSet.OperatorSet_WrongSignatureCount.selector, by.length, k));
        }
        provider.fulfill(digest, reports, signatures);
    }

    function _expectConfig(bytes32 field, ProviderConfig memory c) private {
        vm.expectRevert(abi.encodeWithSelector(IEstuaryProvider.EstuaryProvider_ConfigOutOfRange.selector, field));
        factory.provider(c, owner, _operators(0, 1), 1, CAP);
    }
}
